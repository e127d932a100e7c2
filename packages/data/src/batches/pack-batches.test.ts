import { assertSessionBatch, packSessions } from '@nimue/batch';
import fc from 'fast-check';
import { lastItem } from '../objectives.ts';
import { ItemVocabulary } from '../vocabulary/item-vocabulary.ts';
import { type EncodedSessions, encodeSessions } from './encode-sessions.ts';
import { packBatches } from './pack-batches.ts';

function encoded(...sessions: number[][]): EncodedSessions {
  const { itemIds, offsets } = packSessions(sessions);
  return { itemIds, offsets, timestampsMs: Float64Array.from(itemIds, (_, i) => i) };
}

const lists = (itemIds: Int32Array, offsets: Int32Array) =>
  Array.from({ length: offsets.length - 1 }, (_, b) => [...itemIds.subarray(offsets[b], offsets[b + 1])]);

test('encodeSessions skips unknown inputs, keeps the newest item, and never leaves a session without input', () => {
  const vocabulary = new ItemVocabulary();
  vocabulary.grow({ itemCodes: Int32Array.of(10, 20) });
  const { itemIds: itemCodes, offsets } = packSessions([[10, 99, 20], [99, 98, 10], [10, 97], [96, 95], [94]]);
  const sessions = { itemCodes, offsets, timestampsMs: Float64Array.from(itemCodes, (_, i) => i) };
  const skipped = encodeSessions(sessions, vocabulary, { unknown: 'skip' });
  expect(lists(skipped.itemIds, skipped.offsets)).toEqual([[3, 4], [1, 3], [3, 1], [1, 1], [1]]);
  expect([...(skipped.timestampsMs ?? [])]).toEqual([0, 2, 4, 5, 6, 7, 8, 9, 10]);
  const kept = encodeSessions(sessions, vocabulary, { unknown: 'keep' });
  expect(lists(kept.itemIds, kept.offsets)).toEqual([[3, 1, 4], [1, 1, 3], [3, 1], [1, 1], [1]]);
});

test('in order and untruncated, batches are views', () => {
  const sessions = encoded([3, 4], [5], [6, 7, 8]);
  const batches = [...packBatches(sessions, { batchSize: 2 })];
  expect(batches.map(({ itemIds, offsets }) => lists(itemIds, offsets))).toEqual([[[3, 4], [5]], [[6, 7, 8]]]);
  for (const batch of batches) {
    assertSessionBatch(batch);
    expect(batch.itemIds.buffer).toBe(sessions.itemIds.buffer);
  }
  expect([...(batches[1].timestampsMs ?? [])]).toEqual([3, 4, 5]);
});

test('truncation keeps the newest items; the target is not counted', () => {
  const sessions = encoded([3, 4, 5, 6], [7, 8]);
  const [whole] = packBatches(sessions, { batchSize: 2, maxLength: 2 });
  expect(lists(whole.itemIds, whole.offsets)).toEqual([
    [5, 6],
    [7, 8],
  ]);
  const [last] = packBatches(sessions, { batchSize: 2, maxLength: 2, objective: lastItem.create({}) });
  expect(lists(last.itemIds, last.offsets)).toEqual([[4, 5], [7]]);
  expect([[...last.targets.positions], [...last.targets.itemIds]]).toEqual([
    [1, 2],
    [6, 8],
  ]);
  expect([...(last.timestampsMs ?? [])]).toEqual([1, 2, 4]);
});

test('a seed shuffles, differently in each epoch and always the same way', () => {
  const sessions = encoded(...Array.from({ length: 50 }, (_, s) => [3 + s, 60 + s]));
  const order = (seed: number, epoch: number) =>
    [...packBatches(sessions, { batchSize: 8, seed, epoch })].flatMap((b) => [...b.itemIds]);
  expect(order(1, 0)).toEqual(order(1, 0));
  expect(order(1, 0)).not.toEqual(order(1, 1));
  expect(order(1, 0)).not.toEqual(order(2, 0));
  expect(order(1, 0).sort()).toEqual([...sessions.itemIds].map(Number).sort());
});

test('shuffling and truncation lose and mix nothing', () => {
  const session = fc.array(fc.integer({ min: 3, max: 50 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(
      fc.array(session, { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 6 }),
      fc.option(fc.nat(9), { nil: undefined }),
      (sessions, batchSize, maxLength, seed) => {
        const batches = [...packBatches(encoded(...sessions), { batchSize, maxLength, seed })];
        const got = batches.flatMap((batch) => lists(batch.itemIds, batch.offsets));
        const expected = sessions.map((items) => items.slice(-maxLength));
        const sorted = (all: number[][]) => all.map((items) => items.join()).sort();
        expect(seed === undefined ? got : sorted(got)).toEqual(seed === undefined ? expected : sorted(expected));
      },
    ),
    { numRuns: 100, seed: 3 },
  );
});

test('refuses sizes that are not whole numbers ≥ 1', () => {
  expect(() => [...packBatches(encoded([3, 4]), { batchSize: 0 })]).toThrow(
    'batchSize must be a whole number ≥ 1, got 0',
  );
  expect(() => [...packBatches(encoded([3, 4]), { batchSize: 1, maxLength: 1.5 })]).toThrow(
    'maxLength must be a whole number ≥ 1, got 1.5',
  );
});
