import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readCheckpointFile } from '@nimue/trainer';
import { TINY_EXPERIMENT } from './tiny-experiment.ts';

const NIMUE = fileURLToPath(new URL('../bin/nimue.mjs', import.meta.url));
/** NIMUE_NUM_KILLS=50 makes the long check of it. */
const NUM_KILLS = Number(process.env.NIMUE_NUM_KILLS ?? 3);
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nimue-killed-run-'));
  await writeFile(join(folder, 'e.yaml'), TINY_EXPERIMENT.replace('epochs: 2', 'epochs: 6, averageDecay: 0.9'));
});
afterAll(() => rm(folder, { recursive: true }));

function start(args: readonly string[]) {
  const child = spawn(process.execPath, [NIMUE, ...args], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  return { child, done: new Promise((resolve) => child.on('exit', (code) => resolve({ code, stderr }))) };
}

const runsIn = (out: string) => {
  const runs = join(folder, out, 'tiny');
  return existsSync(runs) ? readdirSync(runs).map((run) => join(runs, run)) : [];
};

/** Results without their times, every array of every checkpoint, and the report's curves by epoch. */
function outcomeOf(path: string) {
  const results = readFileSync(join(path, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => ({ ...JSON.parse(line), trainSeconds: 0, evaluateSeconds: 0 }));
  const checkpoints = readdirSync(join(path, 'checkpoints'))
    .sort()
    .map((file) => [file, [...readCheckpointFile(join(path, 'checkpoints', file)).tensors]]);
  const [, curves] = /<h2>Learning curves<\/h2>(.*?)<h2>/s.exec(readFileSync(join(path, 'report.html'), 'utf8')) ?? [];
  return { results, checkpoints, curves };
}

test('killed at random moments and resumed, a run ends with the bits of one that was never killed', async () => {
  expect(await start(['run', 'e.yaml', '--out', 'whole']).done).toEqual({ code: 0, stderr: '' });
  const [whole] = runsIn('whole');
  const expected = outcomeOf(whole);
  expect(expected.results).toHaveLength(4 * 3);
  expect(expected.curves).toContain('Loss by epoch');

  const { child, done } = start(['run', 'e.yaml', '--out', 'killed']);
  while (!runsIn('killed').some((path) => existsSync(join(path, 'metrics.jsonl'))) && child.exitCode === null) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  child.kill('SIGKILL');
  await done;
  const [killed] = runsIn('killed');
  for (let kill = 1; kill < NUM_KILLS; kill++) {
    if (existsSync(join(killed, 'report.html'))) break;
    const resumed = start(['resume', killed]);
    setTimeout(() => resumed.child.kill('SIGKILL'), 1200 + Math.random() * 1800);
    await resumed.done;
  }
  if (!existsSync(join(killed, 'report.html'))) {
    expect(await start(['resume', killed]).done).toEqual({ code: 0, stderr: '' });
  }
  expect(outcomeOf(killed)).toEqual(expected);
  const refused = await start(['resume', killed]).done;
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('the run is finished') });
  expect(await start(['resume', folder]).done).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('no run to resume'),
  });
}, 600_000);
