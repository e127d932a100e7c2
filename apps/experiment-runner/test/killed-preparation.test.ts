import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const NIMUE = fileURLToPath(new URL('../bin/nimue.mjs', import.meta.url));
const EXPERIMENT = `name: shop
dataset: { generated: shop, days: 2, sessionsPerDay: 20000 }
windows: { span: day }
models: [{ name: popularity }]
backend: cpu
`;
let folder = '';
const prepared = () => readdirSync(join(folder, 'prepared'));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nimue-killed-'));
  await writeFile(join(folder, 'e.yaml'), EXPERIMENT);
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs the real command; resolves with its exit code, null when it was killed. */
function start() {
  const child = spawn(process.execPath, [NIMUE, 'run', 'e.yaml'], { cwd: folder, stdio: 'ignore' });
  return { child, done: new Promise<number | null>((resolve) => child.on('exit', resolve)) };
}

/** Kills the command when it has begun to write windows. */
async function killHalfWay(): Promise<void> {
  const { child, done } = start();
  const isWriting = () => {
    if (!existsSync(join(folder, 'prepared'))) return false;
    return prepared().some((name) => existsSync(join(folder, 'prepared', name, 'result', 'items.parquet')));
  };
  while (!isWriting() && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill('SIGKILL');
  expect(await done).toBeNull();
}

test('killed half-way nothing is taken for whole, and two processes at once then prepare the same folder', async () => {
  await killHalfWay();
  expect(prepared().filter((name) => !name.startsWith('.preparing-'))).toEqual([]);
  const both = [start(), start()];
  expect(await Promise.all(both.map(({ done }) => done))).toEqual([0, 0]);
  const complete = prepared().filter((name) => !name.startsWith('.preparing-'));
  expect(complete).toHaveLength(1);
  const manifest = JSON.parse(await readFile(join(folder, 'prepared', complete[0], 'manifest.json'), 'utf8'));
  expect(manifest.counts.numKeptSessions).toBe(40_000);
}, 120_000);
