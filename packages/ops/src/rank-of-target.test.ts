import { FIRST_ITEM_ID } from '@nimue/batch';
import { createRandom, randomFloats, randomIntegers } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { REFERENCE_BACKENDS, useBackend } from '../test/backends.ts';
import { rankAndTopK, rankOfTarget, topK, UNRANKED } from './index.ts';

/** hidden = [1], so that the scores are the table itself. */
const one = (n = 1) => tf.ones([n, 1]) as tf.Tensor2D;
const scores = (...values: number[]) => tf.tensor2d([99, 99, 99, ...values], [values.length + 3, 1]);

describe.each(REFERENCE_BACKENDS)('on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  test('ranks by hand; a tie counts against; reserved rows are no items', () => {
    const table = scores(0.1, 0.7, 0.7, 0.9);
    expect([...rankOfTarget(one(4), table, Int32Array.of(3, 4, 5, 6))]).toEqual([4, 3, 3, 1]);
  });

  test('constant scores put every target last, never first', () => {
    expect([...rankOfTarget(one(2), scores(0, 0, 0), Int32Array.of(3, 5))]).toEqual([3, 3]);
  });

  test('optimistic: only better scores count, by hand and against a count over random whole numbers', () => {
    const table = scores(0.1, 0.7, 0.7, 0.9);
    expect([...rankOfTarget(one(5), table, Int32Array.of(3, 4, 5, 6, 1), { ties: 'optimistic' })]).toEqual([
      4,
      2,
      2,
      1,
      UNRANKED,
    ]);
    const random = createRandom(9);
    const [numRows, numItems] = [30, 12];
    const whole = () => Math.floor(random() * 3) - 1;
    const values = Array.from({ length: numItems }, whole);
    const bias = Array.from({ length: numItems + 3 }, whole);
    const targets = randomIntegers(numRows, 0, numItems + 3, random);
    const offsets = Int32Array.from({ length: numRows + 1 }, (_, n) => 3 * n);
    const excluded = { offsets, itemIds: randomIntegers(3 * numRows, 0, numItems + 3, random) };
    const options = { bias: tf.tensor1d(bias), excluded, ties: 'optimistic' as const };
    const ranks = rankOfTarget(one(numRows), scores(...values), targets, options);
    ranks.forEach((rank, n) => {
      const score = (id: number) => values[id - 3] + bias[id];
      const hidden = new Set(excluded.itemIds.subarray(3 * n, 3 * n + 3));
      const ids = values.map((_, i) => i + 3);
      const better = ids.filter((id) => !hidden.has(id) && id !== targets[n] && score(id) > score(targets[n]));
      expect(rank).toBe(targets[n] < 3 ? UNRANKED : better.length + 1);
    });
  });

  test('an unknown target is unranked', () => {
    expect([...rankOfTarget(one(), scores(1, 2), Int32Array.of(1))]).toEqual([UNRANKED]);
  });

  test('excluded items do not stand before the target; the target stays', () => {
    const table = scores(0.1, 0.7, 0.8, 0.9);
    const excluded = { offsets: Int32Array.of(0, 2), itemIds: Int32Array.of(6, 4) };
    expect([...rankOfTarget(one(), table, Int32Array.of(4), { excluded })]).toEqual([2]);
    expect([...topK(one(), table, 3, { excluded }).itemIds]).toEqual([5, 3, 0]);
  });

  test('an excluded target has a rank, but no place among the best; both from one pass', () => {
    const table = scores(0.1, 0.7, 0.8, 0.9);
    const excluded = { offsets: Int32Array.of(0, 2, 2), itemIds: Int32Array.of(6, 4) };
    const both = rankAndTopK(one(2), table, Int32Array.of(4, 1), 2, { excluded });
    expect([...both.ranks]).toEqual([2, UNRANKED]);
    expect([...both.itemIds]).toEqual([5, 3, 6, 5]);
    expect([...both.scores]).toEqual([0.8, 0.1, 0.9, 0.8].map(Math.fround));
  });

  test('the bias counts', () => {
    const bias = tf.tensor1d([0, 0, 0, 5, 0]);
    expect([...rankOfTarget(one(), scores(1, 2), Int32Array.of(3), { bias })]).toEqual([1]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('a score of %p is an error that names row and item', (bad) => {
    expect(() => rankOfTarget(one(), scores(1, bad), Int32Array.of(3))).toThrow(/row 0, item id 4 is (NaN|Infinity)/);
    expect(() => topK(one(), scores(1, bad), 1)).toThrow('diverged');
    expect(() => rankAndTopK(one(), scores(1, bad), Int32Array.of(3), 1)).toThrow('row 0, item id 4');
  });

  test('topK: a short list is the beginning of a long one, ties and all', () => {
    const many = scores(...Array.from({ length: 300 }, (_, i) => ((i * 7919) % 31) / 31));
    const long = topK(one(), many, 200);
    for (const k of [1, 2, 63, 64, 65]) {
      const short = topK(one(), many, k);
      expect([...short.itemIds]).toEqual([...long.itemIds.subarray(0, k)]);
      expect([...short.scores]).toEqual([...long.scores.subarray(0, k)]);
    }
  });

  test('topK: best first, ties by rising id, reserved ids never', () => {
    const top = topK(one(), scores(0.1, 0.7, 0.9, 0.7), 4);
    expect([...top.itemIds]).toEqual([5, 4, 6, 3]);
    expect([...top.scores].map((x) => Math.fround(x))).toEqual([0.9, 0.7, 0.7, 0.1].map(Math.fround));
  });

  test('k must fit the catalogue', () => {
    expect(() => topK(one(), scores(1, 2), 3)).toThrow('k is 3, but the catalogue has 2 items; choose 1 … 2');
    expect(() => topK(one(), scores(1, 2), 0)).toThrow('k is 0');
    expect(() => rankAndTopK(one(), scores(1, 2), Int32Array.of(3), 3)).toThrow('rankAndTopK: k is 3');
  });

  test('rank = place in the full list, on random scores', () => {
    const random = createRandom(7);
    const [numRows, numItems, width] = [11, 23, 5];
    const hidden = tf.tensor2d(randomFloats(numRows * width, random), [numRows, width]);
    const table = tf.tensor2d(randomFloats((numItems + 3) * width, random), [numItems + 3, width]);
    const targets = randomIntegers(numRows, FIRST_ITEM_ID, numItems + 3, random);
    const ranks = rankOfTarget(hidden, table, targets);
    const top = topK(hidden, table, numItems);
    expect(rankAndTopK(hidden, table, targets, numItems)).toEqual({ ranks, ...top });
    ranks.forEach((rank, n) => {
      expect(top.itemIds[n * numItems + rank - 1]).toBe(targets[n]);
    });
  });
});

test('wrong shapes and ids are refused before any work', async () => {
  await useBackend('cpu');
  expect(() => rankOfTarget(one(2), scores(1), Int32Array.of(3))).toThrow('hidden has 2 rows but targetIds has 1');
  expect(() => rankOfTarget(one(), scores(1), Int32Array.of(4))).toThrow('targetIds[0] is 4, expected 0 … 3');
  expect(() => rankAndTopK(one(2), scores(1), Int32Array.of(3), 1)).toThrow('rankAndTopK: hidden has 2 rows');
  expect(() => topK(tf.ones([1, 2]), scores(1, 2), 1)).toThrow('table has shape [5, 1], expected [?, 2]');
});
