import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readVersion } from '../run/environment.ts';

/**
 * What the figures of a cell depend on beside its experiment: version, and in a repository commit and changes. An image, which has
 * no repository, says by `NIMUE_COMMIT` what it was built from.
 */
export async function codeVersion(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const git = async (...args: string[]) =>
    (await promisify(execFile)('git', args, { cwd, env, maxBuffer: 1 << 28 })).stdout;
  try {
    const commit = (await git('rev-parse', 'HEAD')).trim();
    const changes = await git('diff', 'HEAD');
    const suffix = changes === '' ? '' : `+${createHash('sha256').update(changes).digest('hex').slice(0, 12)}`;
    return `${readVersion()} ${commit}${suffix}`;
  } catch {
    return [readVersion(), env.NIMUE_COMMIT].filter(Boolean).join(' ');
  }
}

/**
 * Equal keys, equal figures: the resolved experiment without its name, sweep and report, the prepared data, the code.
 *
 * @param dataKey of the prepared log
 */
export function cellKey(resolved: Readonly<Record<string, unknown>>, dataKey: string, code: string): string {
  const { name: _, sweep: __, report: ___, ...rest } = resolved;
  return createHash('sha256')
    .update(JSON.stringify([sorted(rest), dataKey, code]))
    .digest('hex')
    .slice(0, 24);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, part]) => [key, sorted(part)]));
}
