import { type ExcludedItems, rankAndTopK, rankOfTarget, topK, UNRANKED, withReferenceOps } from '@nimue/ops';
import * as tf from '@tensorflow/tfjs';
import { configurations, configure } from '../test/compare-backends.ts';
import { createRandom, offsetsOf, randomFloats, randomIds } from '../test/random-arrays.ts';

/** `tf.tidy` for bodies that return no tensors. */
function inScope<T>(body: () => T): T {
  tf.engine().startScope();
  try {
    return body();
  } finally {
    tf.engine().endScope();
  }
}

/** Small whole numbers: sums are exact in any order, and many scores tie. */
function wholeNumbers(random: () => number, length: number): Float32Array {
  return Float32Array.from({ length }, () => Math.floor(random() * 5) - 2);
}

describe.each([
  [0, 10, 3, 1],
  [1, 4, 1, 1],
  [5, 60, 7, 4],
  [40, 1300, 8, 10],
  [300, 150, 16, 20],
  [3, 20, 5, 17],
])('%i rows, table %i × %i, k %i', (rows, items, width, k) => {
  const random = createRandom(rows + items);
  const hidden = wholeNumbers(random, rows * width);
  const table = wholeNumbers(random, items * width);
  const bias = wholeNumbers(random, items);
  const targetIds = randomIds(random, rows, 0, items);
  const lengths = Array.from({ length: rows }, () => Math.floor(random() * 6));
  const offsets = offsetsOf(lengths);
  const excluded: ExcludedItems = { offsets, itemIds: randomIds(random, offsets[rows], 0, items) };
  // Every fourth row may not be recommended its own target.
  for (let n = 0; n < rows; n += 4) if (offsets[n + 1] > offsets[n]) excluded.itemIds[offsets[n]] = targetIds[n];

  test.each(configurations())('$isa, $threads threads', (configuration) => {
    configure(configuration);
    for (const options of [{}, { excluded }]) {
      for (const withBias of [false, true]) {
        const run = () =>
          inScope(() => {
            const h = tf.tensor2d(hidden, [rows, width]);
            const w = tf.tensor2d(table, [items, width]);
            const all = { ...options, bias: withBias ? tf.tensor1d(bias) : undefined };
            const both = rankAndTopK(h, w, targetIds, k, all);
            const optimistic = rankOfTarget(h, w, targetIds, { ...all, ties: 'optimistic' });
            return { ranks: rankOfTarget(h, w, targetIds, all), optimistic, best: topK(h, w, k, all), both };
          });
        tf.setBackend('cpu');
        const expected = withReferenceOps(run);
        tf.setBackend('native');
        expect(run()).toEqual(expected);
      }
    }
  });
});

describe('scores', () => {
  beforeEach(() => {
    configure(configurations()[0]);
    tf.setBackend('native');
  });

  test('equal vectors tie exactly, wherever their rows lie, and a tie counts against the target', () => {
    const width = 37;
    const random = createRandom(5);
    const vector = randomFloats(random, width);
    for (const items of [4, 17, 300, 1001]) {
      const table = tf.tensor2d(
        Float32Array.from({ length: items * width }, (_, i) => vector[i % width]),
        [items, width],
      );
      const hidden = tf.tensor2d(randomFloats(random, 50 * width), [50, width]);
      const ranks = rankOfTarget(hidden, table, new Int32Array(50).fill(3));
      expect([...ranks]).toEqual(Array(50).fill(items - 3));
      tf.dispose([table, hidden]);
    }
  });

  test('a target outside the vocabulary is unranked', () => {
    const ranks = rankOfTarget(tf.ones([1, 2]), tf.ones([5, 2]), Int32Array.of(1));
    expect([...ranks]).toEqual([UNRANKED]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('a score of %p is an error that names the row', (bad) => {
    const hidden = tf.tensor2d([1, 1, bad, 1, 1, 1], [3, 2]);
    const table = tf.ones([9, 2]) as tf.Tensor2D;
    expect(() => rankOfTarget(hidden, table, Int32Array.of(3, 4, 5))).toThrow(/row 1/);
    expect(() => topK(hidden, table, 2)).toThrow(/row 1/);
    expect(() => rankAndTopK(hidden, table, Int32Array.of(3, 4, 5), 2)).toThrow(/rankAndTopK.*row 1/);
  });
});
