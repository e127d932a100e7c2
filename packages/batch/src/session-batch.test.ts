import {
  assertSessionBatch,
  factorizationMask,
  lastPositions,
  maxSessionLength,
  numSessions,
  packSessions,
  positionsInSession,
  replaceTargets,
} from './index.ts';

const targets = (positions: number[], itemIds: number[]) => ({
  positions: Int32Array.from(positions),
  itemIds: Int32Array.from(itemIds),
});

test('packs sessions end to end', () => {
  const batch = packSessions([[5, 6], [], [7]], targets([0], [6]));
  expect([...batch.itemIds]).toEqual([5, 6, 7]);
  expect([...batch.offsets]).toEqual([0, 2, 2, 3]);
  expect(numSessions(batch)).toBe(3);
  expect(maxSessionLength(batch.offsets)).toBe(2);
  expect([...positionsInSession(batch.offsets)]).toEqual([0, 1, 0]);
});

test('an empty batch is a batch', () => {
  const batch = packSessions([]);
  expect([...batch.offsets]).toEqual([0]);
  expect(maxSessionLength(batch.offsets)).toBe(0);
  expect(lastPositions(batch.offsets)).toHaveLength(0);
});

test('lastPositions names an empty session', () => {
  expect([...lastPositions(Int32Array.of(0, 2, 3))]).toEqual([1, 2]);
  expect(() => lastPositions(Int32Array.of(0, 2, 2))).toThrow('session 1 is empty');
});

test.each([
  ['offsets[0] must be 0', { offsets: Int32Array.of(1, 2) }],
  ['offsets fall at 2', { offsets: Int32Array.of(0, 2, 1) }],
  ['offsets end at 3 but itemIds has length 2', { offsets: Int32Array.of(0, 3) }],
  ['itemIds[1] is -1', { itemIds: Int32Array.of(3, -1) }],
  ['itemIds[1] is 9, expected 0 … 5', { itemIds: Int32Array.of(3, 9) }],
  ['timestampsMs has length 1', { timestampsMs: new Float64Array(1) }],
  ["feature 'price' has length 3", { features: { price: new Float32Array(3) } }],
  ['sessionKeys has length 2, expected 1', { sessionKeys: new Int32Array(2) }],
  ['factorizationPlaces has length 1, expected 2', { factorizationPlaces: new Int32Array(1) }],
  ['originalItemIds has length 3, expected 2', { originalItemIds: new Int32Array(3) }],
  ['2 positions but 1 item ids', { targets: targets([0, 1], [3]) }],
  ['targets.positions[0] is 2', { targets: targets([2], [3]) }],
  ['must rise strictly', { targets: targets([1, 0], [3, 3]) }],
  ['targets.itemIds[0] is 6', { targets: targets([1], [6]) }],
])('refuses: %s', (message, change) => {
  const good = { itemIds: Int32Array.of(3, 4), offsets: Int32Array.of(0, 2), targets: targets([0], [4]) };
  expect(() => assertSessionBatch(good, 6)).not.toThrow();
  expect(() => assertSessionBatch({ ...good, ...change }, 6)).toThrow(message);
});

test('packSessions refuses fractions and NaN', () => {
  expect(() => packSessions([[3], [4, 0.5]])).toThrow('session 1, event 1: expected a whole item id ≥ 0, got 0.5');
  expect(() => packSessions([[Number.NaN]])).toThrow('got NaN');
});

test('factorizationMask: blocks per session; the context sees the context, a target what stands before it', () => {
  const batch = { ...packSessions([[5, 6, 7], [8]]), factorizationPlaces: Int32Array.of(2, 0, 1, 0) };
  expect([...factorizationMask(batch, 'content')]).toEqual([1, 1, 1, 0, 1, 0, 0, 1, 1, 1]);
  expect([...factorizationMask(batch, 'query')]).toEqual([0, 1, 1, 0, 0, 0, 0, 1, 0, 0]);
  expect(() => factorizationMask(packSessions([[5]]), 'query')).toThrow('make it with the permutation objective');
});

test('replaceTargets refuses what does not fit', () => {
  const batch = packSessions([[5, 2]], targets([1], [6]));
  expect(() => replaceTargets(batch, [6])).toThrow('make it with the replacedToken objective');
  const hidden = { ...batch, originalItemIds: Int32Array.of(5, 6) };
  expect(() => replaceTargets(hidden, [])).toThrow('got 0 samples, expected 1');
});
