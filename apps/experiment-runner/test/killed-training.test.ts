import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createRandom } from '@nimue/testing';
import { readCheckpointFile } from '@nimue/trainer';

const TRAINING = fileURLToPath(new URL('./killed-training.mjs', import.meta.url));
const NUM_KILLS = 50;
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nimue-killed-training-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Life {
  /** From `ready` to the end. */
  readonly milliseconds: number;
  /** Its results, where it was not killed. */
  readonly results?: string;
}

/** Starts the training in a process of its own and kills it so many milliseconds after it began, with signal 9. */
function live(directory: string, variant: string, killAfterMs?: number): Promise<Life> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [TRAINING, directory, variant], { stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr, begun] = ['', '', 0];
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.stdout.on('data', (chunk) => {
      if (stdout === '' && killAfterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfterMs);
      if (stdout === '') begun = performance.now();
      stdout += chunk;
    });
    child.on('close', (code) => {
      const milliseconds = performance.now() - begun;
      if (code !== null && code !== 0) reject(new Error(stderr));
      else resolve({ milliseconds, ...(code === 0 && { results: stdout.split('\n')[1] }) });
    });
  });
}

/** All arrays of all checkpoints, and names of everything else. */
function kept(directory: string) {
  return readdirSync(directory)
    .sort()
    .map((file) => [file, [...readCheckpointFile(join(directory, file)).tensors]]);
}

test(`killed at ${NUM_KILLS} random moments and resumed, trainings end with the bits of those that were never killed`, async () => {
  let numKills = 0;
  let numRuns = 0;
  const random = createRandom(11);
  const chain = async (variant: string) => {
    const whole = join(folder, `${variant}-whole`);
    const { results: expected, milliseconds } = await live(whole, variant);
    while (numKills < NUM_KILLS) {
      const directory = join(folder, `${variant}-killed${numRuns++}`);
      let results: string | undefined;
      while (results === undefined) {
        const isLast = numKills >= NUM_KILLS;
        const life = await live(directory, variant, isLast ? undefined : random() * Math.min(400, milliseconds));
        ({ results } = life);
        if (results === undefined) numKills++;
      }
      expect(results).toBe(expected);
      expect(kept(directory)).toEqual(kept(whole));
    }
  };
  await Promise.all([chain('gru4rec'), chain('sasrec')]);
  expect(numKills).toBeGreaterThanOrEqual(NUM_KILLS);
}, 600_000);
