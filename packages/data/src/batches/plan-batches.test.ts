import { packSessions } from '@nimue/batch';
import fc from 'fast-check';
import { sessionsFromArrow, sessionsToArrow } from '../dataset/arrow-sessions.ts';
import { causal, masked } from '../objectives.ts';
import type { EncodedSessions } from './encode-sessions.ts';
import { packBatches } from './pack-batches.ts';
import { type BatchPlanOptions, countBatches, planBatches } from './plan-batches.ts';
import { SpilledSessions } from './spilled-sessions.ts';

const offsetsOf = (...lengths: number[]) => {
  const offsets = new Int32Array(lengths.length + 1);
  for (const [s, length] of lengths.entries()) offsets[s + 1] = offsets[s] + length;
  return offsets;
};

/** Sessions per batch. */
function plan(lengths: readonly number[], options: BatchPlanOptions, longest?: number): number[][] {
  return [...planBatches(offsetsOf(...lengths), options, longest)].map((batch) =>
    batch instanceof Int32Array
      ? [...batch]
      : Array.from({ length: batch.end - batch.first }, (_, b) => batch.first + b),
  );
}

test('a token budget fills batches up to it; a longer session travels alone', () => {
  const lengths = [3, 3, 2, 9, 1, 1, 1, 1];
  expect(plan(lengths, { batchSize: 3, maxBatchEvents: 6 })).toEqual([[0, 1], [2], [3], [4, 5, 6], [7]]);
  // At most 4 events of a session are seen, and it is these that count.
  expect(plan(lengths, { batchSize: 9, maxBatchEvents: 6 }, 4)).toEqual([
    [0, 1],
    [2, 3],
    [4, 5, 6, 7],
  ]);
});

test('bucketing puts sessions of a length together within a pool, and shuffles the batches', () => {
  const lengths = [5, 1, 4, 1, 2, 2, 9, 9];
  expect(plan(lengths, { batchSize: 2, bucketBatches: 2 })).toEqual([
    [1, 3],
    [2, 0],
    [4, 5],
    [6, 7],
  ]);
  const many = Array.from({ length: 64 }, (_, s) => 1 + ((s * 7) % 16));
  const bucketed = plan(many, { batchSize: 4, bucketBatches: 16, seed: 1 });
  expect(bucketed.map((batch) => new Set(batch.map((s) => many[s])).size)).toEqual(bucketed.map(() => 1));
  const lengthsInOrder = bucketed.map(([s]) => many[s]);
  expect(lengthsInOrder).not.toEqual([...lengthsInOrder].sort((a, b) => a - b));
  expect(plan(many, { batchSize: 4, bucketBatches: 16, seed: 1, epoch: 1 })).not.toEqual(bucketed);
});

test('whatever the options, every session travels once, and within the limits', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(9), { maxLength: 40 }),
      fc.record({
        batchSize: fc.integer({ min: 1, max: 7 }),
        maxBatchEvents: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
        bucketBatches: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
        seed: fc.option(fc.nat(5), { nil: undefined }),
        epoch: fc.nat(3),
      }),
      fc.integer({ min: 1, max: 9 }),
      (lengths, options, longest) => {
        const batches = plan(lengths, options, longest);
        expect(batches.flat().sort((a, b) => a - b)).toEqual(lengths.map((_, s) => s));
        for (const batch of batches) {
          expect(batch.length).toBeLessThanOrEqual(options.batchSize);
          const numEvents = batch.reduce((sum, s) => sum + Math.min(longest, lengths[s]), 0);
          if (batch.length > 1) expect(numEvents).toBeLessThanOrEqual(options.maxBatchEvents ?? numEvents);
        }
        expect(countBatches(offsetsOf(...lengths), options, longest)).toBe(batches.length);
      },
    ),
    { numRuns: 300, seed: 6 },
  );
});

test('a batch of an Arrow table is a view of it', async () => {
  const { itemIds: itemCodes, offsets } = packSessions([[3, 4], [5], [6, 7, 8]]);
  const table = await sessionsToArrow({ itemCodes, offsets, timestampsMs: Float64Array.of(1, 2, 3, 4, 5, 6) });
  const { itemCodes: itemIds, ...rest } = await sessionsFromArrow(table);
  const [, second] = packBatches({ itemIds, ...rest }, { batchSize: 2 });
  expect([...second.itemIds]).toEqual([6, 7, 8]);
  expect(second.itemIds.buffer).toBe(itemCodes.buffer);
  expect(second.timestampsMs?.buffer).toBe(rest.timestampsMs.buffer);
});

test('sessions in a file give exactly the batches of sessions in memory', () => {
  const session = fc.array(fc.integer({ min: 3, max: 50 }), { minLength: 1, maxLength: 8 });
  const encodedOf = (sessions: readonly number[][], firstKey: number): EncodedSessions => {
    const { itemIds, offsets } = packSessions(sessions);
    return {
      itemIds,
      offsets,
      timestampsMs: Float64Array.from(itemIds, (id, i) => firstKey + id + i / 3),
      features: { price: Float32Array.from(itemIds, (id) => id / 7), kind: itemIds.map((id) => id % 4) },
      sessionKeys: Int32Array.from(sessions, (_, s) => 1000 * firstKey + s),
    };
  };
  fc.assert(
    fc.property(
      fc.array(fc.array(session, { minLength: 0, maxLength: 12 }), { minLength: 1, maxLength: 4 }),
      fc.record({
        batchSize: fc.integer({ min: 1, max: 6 }),
        maxLength: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
        maxBatchEvents: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
        bucketBatches: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
        seed: fc.option(fc.nat(9), { nil: undefined }),
        objective: fc.constantFrom(undefined, causal.create({}), masked.create(masked.configSchema.parse({}))),
      }),
      (parts, options) => {
        const spilled = new SpilledSessions();
        try {
          const inMemory = encodedOf(parts.flat(), 1);
          let first = 0;
          for (const part of parts) {
            const from = inMemory.offsets[first];
            const offsets = inMemory.offsets.slice(first, first + part.length + 1).map((offset) => offset - from);
            const to = from + offsets[part.length];
            spilled.add({
              itemIds: inMemory.itemIds.subarray(from, to),
              offsets,
              timestampsMs: inMemory.timestampsMs?.subarray(from, to),
              features: {
                price: inMemory.features?.price.subarray(from, to) as Float32Array,
                kind: inMemory.features?.kind.subarray(from, to) as Int32Array,
              },
              sessionKeys: inMemory.sessionKeys?.subarray(first, first + part.length),
            });
            first += part.length;
          }
          expect([...packBatches(spilled, options)]).toEqual([...packBatches(inMemory, options)]);
        } finally {
          spilled.dispose();
        }
      },
    ),
    { numRuns: 60, seed: 7 },
  );
});

test('sessions in a file refuse parts with other columns', () => {
  const spilled = new SpilledSessions();
  spilled.add({ itemIds: Int32Array.of(3), offsets: Int32Array.of(0, 1) });
  const timed = { itemIds: Int32Array.of(3), offsets: Int32Array.of(0, 1), timestampsMs: Float64Array.of(1) };
  expect(() => spilled.add(timed)).toThrow('expected the columns itemIds, got itemIds, timestampsMs');
  spilled.dispose();
});
