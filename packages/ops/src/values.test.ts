import { assertClose, createRandom, offsetsOf, randomFloats } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { REFERENCE_BACKENDS, useBackend } from '../test/backends.ts';
import { keepHash, keepThreshold } from './keep-mask.ts';
import { dropout, gru, linear, residualNorm, scatterRows } from './ops.ts';

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** Values by formulas written out in plain float64 JavaScript, or by hand. */
describe.each(REFERENCE_BACKENDS)('on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  test('gru by loops', () => {
    const random = createRandom(4);
    const offsets = offsetsOf([2, 3]);
    const x = randomFloats(5 * 2, random);
    const [wi, wh, bi, bh] = [2 * 9, 3 * 9, 9, 9].map((n) => randomFloats(n, random));
    const expected = new Float64Array(15);
    for (let b = 0; b < 2; b++) {
      let h = [0, 0, 0];
      for (let t = offsets[b]; t < offsets[b + 1]; t++) {
        const input = (c: number) => bi[c] + x[t * 2] * wi[c] + x[t * 2 + 1] * wi[9 + c];
        const state = h;
        const recurrent = (c: number) => bh[c] + state.reduce((sum, value, d) => sum + value * wh[d * 9 + c], 0);
        h = [0, 1, 2].map((d) => {
          const reset = sigmoid(input(d) + recurrent(d));
          const update = sigmoid(input(3 + d) + recurrent(3 + d));
          const candidate = Math.tanh(input(6 + d) + reset * recurrent(6 + d));
          return (1 - update) * candidate + update * state[d];
        });
        expected.set(h, t * 3);
      }
    }
    const y = gru(tf.tensor2d(x, [5, 2]), offsets, {
      inputWeights: tf.tensor2d(wi, [2, 9]),
      recurrentWeights: tf.tensor2d(wh, [3, 9]),
      inputBias: tf.tensor1d(bi),
      recurrentBias: tf.tensor1d(bh),
    });
    assertClose('gru', y.dataSync(), expected, 1e-6);
  });

  test('scatterRows adds repeats up', () => {
    const dy = tf.tensor2d([1, 2, 10, 20, 100, 200], [3, 2]);
    expect([...scatterRows(dy, Int32Array.of(2, 0, 2), 4).dataSync()]).toEqual([10, 20, 0, 0, 101, 202, 0, 0]);
  });

  test('layer norm and RMS norm by hand', () => {
    const x = tf.tensor2d([1, 3, 2, 6], [2, 2]);
    const gamma = tf.tensor1d([2, 1]);
    assertClose('layer', residualNorm(x, gamma, { epsilon: 0 }).dataSync(), [-2, 1, -2, 1], 1e-6);
    const [a, b] = [Math.sqrt(5), Math.sqrt(20)];
    assertClose(
      'rms',
      residualNorm(x, gamma, { kind: 'rms', epsilon: 0 }).dataSync(),
      [2 / a, 3 / a, 4 / b, 6 / b],
      1e-6,
    );
  });

  test('gelu is x Φ(x)', () => {
    // Φ(0.5), Φ(1), Φ(−2) from a table of the normal distribution
    const x = tf.tensor2d([0, 0.5, 1, -2], [4, 1]);
    const y = linear(x, tf.tensor2d([1], [1, 1]), undefined, 'gelu').dataSync();
    assertClose('gelu', y, [0, 0.5 * 0.6914624613, 0.8413447461, -2 * 0.0227501319], 1e-6);
  });

  test('dropout keeps by the hash and scales', () => {
    const y = dropout(tf.ones([50, 40]), { rate: 0.25, seed: 9 }).dataSync();
    y.forEach((value, i) => {
      const isKept = keepHash(9, Math.floor(i / 40), i % 40) >= keepThreshold(0.25);
      expect(value).toBe(isKept ? Math.fround(4 / 3) : 0);
    });
    const share = y.filter((value) => value > 0).length / y.length;
    expect(Math.abs(share - 0.75)).toBeLessThan(4 * Math.sqrt((0.75 * 0.25) / 2000));
  });
});
