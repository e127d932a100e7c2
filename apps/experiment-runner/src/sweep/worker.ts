import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { CellResult } from './cell-pool.ts';

const NIMUE = fileURLToPath(new URL('../../bin/nimue.mjs', import.meta.url));

/**
 * Runs an experiment file in a process of its own, whose peak memory is that of the experiment, by the JSON that
 * `nimue run --json` prints.
 *
 * @throws with what the process wrote as its error
 */
export function runInWorker(
  file: string,
  folders: { readonly out: string; readonly prepared: string },
  signal?: AbortSignal,
): Promise<CellResult> {
  return new Promise((resolve, reject) => {
    const args = [NIMUE, 'run', file, '--json', '--out', folders.out, '--prepared', folders.prepared];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const stop = () => child.kill('SIGINT');
    signal?.addEventListener('abort', stop, { once: true });
    let printed = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => {
      errors = (errors + chunk.toString('utf8')).slice(-20_000);
    });
    child.once('error', reject);
    child.once('close', (code, killedBy) => {
      signal?.removeEventListener('abort', stop);
      if (code === 0) return resolve(JSON.parse(printed) as CellResult);
      // With --json the progress goes to stderr too; the error is its end.
      const last = errors.trimEnd().split('\n').slice(-3).join('\n');
      reject(new Error(killedBy ? `the process was ended by ${killedBy}` : last || `exit code ${code}`));
    });
  });
}
