import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BatchPrefetcher, type EncodedSessions, objectives, packBatches, SpilledSessions } from '@nimue/data';
import { TINY_EXPERIMENT } from './tiny-experiment.ts';

const NUM_SESSIONS = 200;

/** Sessions of 1 to 9 events with times, features and keys. */
function encoded(): EncodedSessions {
  const offsets = new Int32Array(NUM_SESSIONS + 1);
  for (let s = 0; s < NUM_SESSIONS; s++) offsets[s + 1] = offsets[s] + 1 + ((s * 7) % 9);
  const itemIds = Int32Array.from({ length: offsets[NUM_SESSIONS] }, (_, i) => 3 + ((i * 31) % 50));
  return {
    itemIds,
    offsets,
    timestampsMs: Float64Array.from(itemIds, (_, i) => 1e12 + i / 3),
    features: { price: Float32Array.from(itemIds, (id) => id / 7), kind: itemIds.map((id) => id % 4) },
    sessionKeys: Int32Array.from({ length: NUM_SESSIONS }, (_, s) => 7919 * s),
  };
}

const options = { batchSize: 16, maxLength: 5, maxBatchEvents: 50, bucketBatches: 4 };
const inMemory = encoded();
const spilled = new SpilledSessions();
beforeAll(() => spilled.add(inMemory));
afterAll(() => spilled.dispose());

describe('batches from another thread', () => {
  test.each(Object.keys(objectives))('%s: the same as without a thread, epoch by epoch', async (name) => {
    const spec = objectives[name as keyof typeof objectives];
    const config = spec.configSchema.parse({});
    const objective = spec.create(config as never);
    for (const sessions of [inMemory, spilled]) {
      const prefetcher = new BatchPrefetcher(sessions, { ...options, objective: { name, config } });
      try {
        for (const epoch of [1, 2, 3]) {
          const expected = [...packBatches(inMemory, { ...options, seed: 5, epoch, objective })];
          expect([...prefetcher.batches({ seed: 5, epoch })]).toEqual(expected);
        }
      } finally {
        await prefetcher.dispose();
      }
    }
  });

  test('an epoch that is left half-way does not disturb the next', async () => {
    const prefetcher = new BatchPrefetcher(inMemory, options);
    for (const batch of prefetcher.batches({ seed: 1, epoch: 1 })) {
      expect(batch.itemIds.length).toBeGreaterThan(0);
      break;
    }
    const expected = [...packBatches(inMemory, { ...options, seed: 1, epoch: 2 })];
    expect([...prefetcher.batches({ seed: 1, epoch: 2 })]).toEqual(expected);
    expect(prefetcher.waitedMs).toBeGreaterThan(0);
    await prefetcher.dispose();
  });

  test('what goes wrong there is thrown here', async () => {
    const prefetcher = new BatchPrefetcher(inMemory, { batchSize: 0 });
    expect(() => [...prefetcher.batches({ epoch: 1 })]).toThrow('batchSize must be a whole number ≥ 1, got 0');
    await prefetcher.dispose();
  });

  test('an experiment gives the same metrics, from memory and from a file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'nimue-prefetch-'));
    const nimue = fileURLToPath(new URL('../bin/nimue.mjs', import.meta.url));
    writeFileSync(join(folder, 'tiny.yaml'), TINY_EXPERIMENT);
    const metricsWith = (...settings: string[]): unknown[] => {
      const args = [nimue, 'run', 'tiny.yaml', ...settings.flatMap((setting) => ['--set', setting])];
      const { status, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
      expect([status, stderr.split('\n').filter((line) => line.includes('rror'))]).toEqual([0, []]);
      const run =
        readdirSync(join(folder, 'runs', 'tiny'))
          .sort()
          .at(-1) ?? '';
      const lines = readFileSync(join(folder, 'runs', 'tiny', run, 'metrics.jsonl'), 'utf8')
        .trim()
        .split('\n');
      return lines.map((line) => {
        const { model, evaluateWindow, metrics, loss } = JSON.parse(line);
        return { model, evaluateWindow, metrics, loss };
      });
    };
    try {
      const expected = metricsWith();
      expect(expected).toHaveLength(12);
      expect(metricsWith('training.prefetch=true')).toEqual(expected);
      expect(metricsWith('training.prefetch=true', 'training.maxEventsInMemory=0')).toEqual(expected);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
