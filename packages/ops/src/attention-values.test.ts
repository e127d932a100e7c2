import { assertClose, createRandom, offsetsOf, randomFloats, randomIntegers } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { REFERENCE_BACKENDS, useBackend } from '../test/backends.ts';
import { keepHash, keepThreshold } from './keep-mask.ts';
import { jaggedAttention } from './ops.ts';

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** Values by formulas written out in plain float64 JavaScript, or by hand. */
describe.each(REFERENCE_BACKENDS)('on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  test('attention of two sessions, two heads, by loops', () => {
    const random = createRandom(3);
    const offsets = offsetsOf([3, 2]);
    const [q, k, v] = [0, 1, 2].map(() => randomFloats(5 * 4, random));
    const expected = new Float64Array(20);
    for (let b = 0; b < 2; b++) {
      for (let i = offsets[b]; i < offsets[b + 1]; i++) {
        for (let h = 0; h < 2; h++) {
          const weights: number[] = [];
          for (let j = offsets[b]; j <= i; j++) {
            let dot = 0;
            for (let d = 2 * h; d < 2 * h + 2; d++) dot += q[i * 4 + d] * k[j * 4 + d];
            weights.push(Math.exp(dot / Math.sqrt(2)));
          }
          const total = weights.reduce((a, x) => a + x, 0);
          weights.forEach((weight, j) => {
            for (let d = 2 * h; d < 2 * h + 2; d++) {
              expected[i * 4 + d] += (weight / total) * v[(offsets[b] + j) * 4 + d];
            }
          });
        }
      }
    }
    const matrix = (x: Float32Array) => tf.tensor2d(x, [5, 4]);
    const y = jaggedAttention(matrix(q), matrix(k), matrix(v), offsets, { numHeads: 2, causal: true });
    assertClose('attention', y.dataSync(), expected, 1e-6);
  });

  test.each([
    ['softmax', true],
    ['softmax', false],
    ['silu', true],
    ['silu', false],
  ] as const)('%s attention with mask, bias by distance and dropout, by loops, causal %s', (kind, causal) => {
    const random = createRandom(6);
    const lengths = [4, 0, 1, 3];
    const offsets = offsetsOf(lengths);
    const [q, k, v] = [0, 1, 2].map(() => randomFloats(8 * 6, random));
    const mask = Uint8Array.from(randomIntegers(16 + 1 + 9, 0, 3, random));
    mask.fill(0, 4, 8); // the second position of the first session sees nothing
    const bias = randomFloats(5 * 3, random);
    const dropout = { rate: 0.25, seed: 5 };
    const expected = new Float64Array(48);
    let block = 0;
    lengths.forEach((length, b) => {
      for (let i = 0; i < length; i++) {
        for (let h = 0; h < 3; h++) {
          const weights = new Float64Array(length);
          for (let j = 0; j < (causal ? i + 1 : length); j++) {
            if (!mask[block + i * length + j]) continue;
            let score = bias[(Math.max(-2, Math.min(2, j - i)) + 2) * 3 + h];
            for (let d = 2 * h; d < 2 * h + 2; d++) {
              score += 0.8 * q[(offsets[b] + i) * 6 + d] * k[(offsets[b] + j) * 6 + d];
            }
            weights[j] = kind === 'silu' ? (score * sigmoid(score)) / length : Math.exp(score);
          }
          const total = kind === 'silu' ? 1 : weights.reduce((a, x) => a + x, 0) || 1;
          weights.forEach((weight, j) => {
            const isKept = keepHash(5, (offsets[b] + i) * 3 + h, j) >= keepThreshold(0.25);
            const share = isKept ? weight / total / 0.75 : 0;
            for (let d = 2 * h; d < 2 * h + 2; d++) {
              expected[(offsets[b] + i) * 6 + d] += share * v[(offsets[b] + j) * 6 + d];
            }
          });
        }
      }
      block += length * length;
    });
    const matrix = (x: Float32Array) => tf.tensor2d(x, [8, 6]);
    const relativeBias = tf.tensor2d(bias, [5, 3]);
    const options = { numHeads: 3, causal, scale: 0.8, dropout, mask, relativeBias, kind };
    const y = jaggedAttention(matrix(q), matrix(k), matrix(v), offsets, options).dataSync();
    assertClose('attention', y, expected, 1e-6);
    expect([...y.subarray(6, 12)]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test('a mask of ones and a bias of zeros change nothing; equal scores share by the odds of their biases', () => {
    const x = tf.tensor2d([1, 0, 0, 1, 1, 1], [3, 2]);
    const offsets = offsetsOf([2, 1]);
    const plain = jaggedAttention(x, x, x, offsets, { causal: true }).dataSync();
    const mask = new Uint8Array(5).fill(1);
    const relativeBias = tf.zeros([3, 1]) as tf.Tensor2D;
    assertClose(
      'ones',
      jaggedAttention(x, x, x, offsets, { causal: true, mask, relativeBias }).dataSync(),
      plain,
      1e-7,
    );
    // scores 0, biases ln 3 one back, 0 here, ln 9 one ahead: weights 1 : 9 and 3 : 1
    const zeros = tf.zeros([2, 1]) as tf.Tensor2D;
    const odds = tf.tensor2d([Math.log(3), 0, Math.log(9)], [3, 1]);
    const value = tf.tensor2d([0, 1], [2, 1]);
    const y = jaggedAttention(zeros, zeros, value, offsetsOf([2]), { causal: false, relativeBias: odds });
    assertClose('odds', y.dataSync(), [0.9, 0.25], 1e-6);
    // the same odds from queries of 1 and 2 and the scale ½: ln 9 ahead of the first, 2 ln 3 · ½ behind the second
    const relative = { query: tf.tensor2d([1, 2], [2, 1]), keys: tf.tensor2d([Math.log(3), 0, Math.log(81)], [3, 1]) };
    const options = { causal: false, scale: 0.5, relative };
    assertClose(
      'by distance',
      jaggedAttention(zeros, zeros, value, offsetsOf([2]), options).dataSync(),
      [0.9, 0.25],
      1e-6,
    );
  });

  test('silu attention by hand', () => {
    // scores [1 · 1, 1 · 2], [2 · 1, 2 · 2] over L = 2; the scale is 1 whatever the width
    const silu = (s: number) => s * sigmoid(s);
    const x = tf.tensor2d([1, 2], [2, 1]);
    const y = jaggedAttention(x, x, x, offsetsOf([2]), { causal: false, kind: 'silu' }).dataSync();
    assertClose('silu', y, [(silu(1) + 2 * silu(2)) / 2, (silu(2) + 2 * silu(4)) / 2], 1e-6);
  });
});
