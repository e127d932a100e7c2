import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderContents } from '@nimue/testing';
import { openPrepared } from './open-prepared.ts';

/** Other processes run the sources, as the benches do. */
const ROOT = join(import.meta.dirname, '../..');
const NODE = ['--conditions=@nimue/source', '--import', join(ROOT, '../backend-native/bench/register-ts.mjs')];
const PREPARE = join(import.meta.dirname, '../../fixtures/prepare-in-a-process.ts');
const TIMEOUT_MS = 120_000;

let root = '';
let log = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'nimue-killed-'));
  log = join(root, 'log.csv');
  const T = Date.UTC(2024, 0, 1) / 1000;
  const rows = Array.from({ length: 60_000 }, (_, e) => `s${(e * 7) % 9000},item ${(e * 31) % 500},${T + 20 * e}`);
  writeFileSync(log, `s,i,t\n${rows.join('\n')}\n`);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function start(
  directory: string,
  killAt = '',
): ChildProcess & { readonly output: Promise<string>; readonly ended: Promise<number | null> } {
  const child = spawn(process.execPath, [...NODE, PREPARE, log, directory, killAt], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (text += data));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return Object.assign(child, { output: ended.then(() => text), ended });
}

test(
  'killed at any stage, a preparation leaves nothing that is taken for whole; the next one is complete, and the same',
  async () => {
    const undisturbed = join(root, 'undisturbed');
    const done = start(undisturbed);
    expect(await done.ended).toBe(0);
    const [name] = readdirSync(undisturbed);
    const expected = folderContents(join(undisturbed, name));
    const directory = join(root, 'killed');
    for (const stage of ['read', 'sessionize', 'write']) {
      const child = start(directory, stage);
      await child.ended;
      expect(child.signalCode).toBe('SIGKILL');
      const left = readdirSync(directory);
      expect(left.filter((entry) => !entry.startsWith('.preparing-'))).toEqual([]);
      await expect(openPrepared(join(directory, left[0], 'result'))).rejects.toThrow('is not complete');
    }
    expect(await start(directory).ended).toBe(0);
    expect(folderContents(join(directory, name))).toEqual(expected);
  },
  TIMEOUT_MS,
);

test(
  'two processes that prepare the same log at the same time both end with the one whole folder',
  async () => {
    const directory = join(root, 'together');
    const both = [start(directory), start(directory)];
    expect(await Promise.all(both.map(({ ended }) => ended))).toEqual([0, 0]);
    const [first, second] = await Promise.all(both.map(({ output }) => output));
    const resultOf = (text: string) => text.split('\n').find((line) => line.startsWith('done '));
    expect(resultOf(first)).toBe(resultOf(second));
    expect(resultOf(first)).toMatch(/^done log-[0-9a-f]{16} 60000 events$/);
    expect(readdirSync(directory)).toHaveLength(1);
  },
  TIMEOUT_MS,
);

test(
  'a full disk is named, and what was prepared before stays as it was',
  async () => {
    const directory = join(root, 'full');
    mkdirSync(directory);
    const kept = join(directory, 'kept');
    writeFileSync(kept, 'as it was');
    const command = [process.execPath, ...NODE, PREPARE, log, directory].map((part) => `'${part}'`).join(' ');
    let text = '';
    try {
      // A file of more than 100 KB cannot be written. SIGXFSZ would end the process; ignored, the write fails with EFBIG.
      execFileSync('bash', ['-c', `trap '' XFSZ; ulimit -f 100; exec ${command}`], { stdio: 'pipe' });
    } catch (error) {
      text = String((error as { stderr: Buffer }).stderr);
    }
    expect(text).toMatch(/(could not write|File too large)/i);
    expect(text).toContain(directory);
    expect(readdirSync(directory)).toEqual(['kept']);
    expect(readFileSync(kept, 'utf8')).toBe('as it was');
  },
  TIMEOUT_MS,
);
