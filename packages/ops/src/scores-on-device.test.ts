import { createRandom, offsetsOf, randomIntegers } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { REFERENCE_BACKENDS, useBackend } from '../test/backends.ts';
import { rankOfTargetReference } from './rank-of-target.ts';
import { sampleItemsReference } from './sample-items.ts';
import { bestOnDevice, ranksAndBestOnDevice, ranksOnDevice, samplesOnDevice } from './scores-on-device.ts';
import { topKReference } from './top-k.ts';

/** What stays on the device gives what the loops in JavaScript give, in blocks of any size. */
describe.each(REFERENCE_BACKENDS)('on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  test.each([
    [0, 10, 3, 1],
    [1, 4, 1, 1],
    [5, 60, 7, 4],
    [13, 301, 3, 20],
  ])('%i rows, table %i × %i, k %i', (numRows, numIds, width, k) => {
    const random = createRandom(numRows + numIds);
    // Small whole numbers: sums are exact in any order, and many scores tie.
    const whole = (length: number) => Float32Array.from({ length }, () => Math.floor(random() * 5) - 2);
    const hidden = tf.tensor2d(whole(numRows * width), [numRows, width]);
    const table = tf.tensor2d(whole(numIds * width), [numIds, width]);
    const bias = tf.tensor1d(whole(numIds));
    const targetIds = randomIntegers(numRows, 0, numIds, random);
    const offsets = offsetsOf(Array.from({ length: numRows }, () => Math.floor(random() * 6)));
    const itemIds = randomIntegers(offsets[numRows], 0, numIds, random);
    for (let n = 0; n < numRows; n += 2) if (offsets[n + 1] > offsets[n]) itemIds[offsets[n]] = targetIds[n];
    const before = tf.memory().numTensors;
    for (const options of [{}, { bias }, { bias, excluded: { offsets, itemIds } }]) {
      const args = { hidden, table, targetIds, k, firstRow: 3, ...options };
      const ranks = rankOfTargetReference(args);
      const best = topKReference(args);
      for (const maxScores of [1, 2 * numIds, 1 << 24]) {
        expect(ranksOnDevice(args, maxScores)).toEqual(ranks);
        expect(bestOnDevice(args, maxScores)).toEqual(best);
        expect(ranksAndBestOnDevice(args, maxScores)).toEqual({ ranks, ...best });
      }
      const uniforms = Float64Array.from({ length: numRows }, () => random());
      const draw = { hidden, table, bias: options.bias, firstRow: 3, temperature: 1.5, uniforms };
      expect(samplesOnDevice(draw, 2 * numIds)).toEqual(sampleItemsReference(draw));
    }
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([hidden, table, bias]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('a score of %p is named by row and item id', (bad) => {
    const table = tf.tensor2d([0, 0, 0, 1, bad], [5, 1]);
    const args = { hidden: tf.ones([2, 1]) as tf.Tensor2D, table, targetIds: Int32Array.of(3, 3), k: 1, firstRow: 3 };
    expect(() => ranksOnDevice(args)).toThrow(/rankOfTarget: the score of row 0, item id 4 is (NaN|Infinity)/);
    expect(() => bestOnDevice(args)).toThrow('topK: the score of row 0, item id 4');
    // A reserved row is no item, whatever it holds.
    const reserved = tf.tensor2d([bad, bad, bad, 1, 2], [5, 1]);
    expect([...ranksOnDevice({ ...args, table: reserved })]).toEqual([2, 2]);
  });
});
