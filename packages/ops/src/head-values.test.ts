import { assertClose, createRandom, randomFloats } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { REFERENCE_BACKENDS, useBackend } from '../test/backends.ts';
import { sampledHead, softmaxHead } from './ops.ts';
import type { SampledHeadOptions } from './sampled-head.ts';
import { softmaxHeadReference } from './softmax-head.ts';

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** Values by formulas written out in plain float64 JavaScript, or by hand. */
describe.each(REFERENCE_BACKENDS)('on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  test('softmaxHead by hand: the reserved rows take no part', () => {
    // logits of the items 3, 4, 5: 0, ln 2, ln 5; target 4 → −ln(2/8); the reserved rows would dominate if counted
    const table = tf.tensor2d([99, 99, 99, 0, Math.log(2), Math.log(5)], [6, 1]);
    const hidden = tf.tensor2d([1], [1, 1]);
    const target = Int32Array.of(4);
    expect(softmaxHead(hidden, table, target).dataSync()[0]).toBeCloseTo(Math.log(4), 5);
    // smoothing .3: −(.7 ln(2/8) + .1 (ln(1/8) + ln(2/8) + ln(5/8)))
    const smoothed = -(0.7 * Math.log(2 / 8) + 0.1 * Math.log((1 / 8) * (2 / 8) * (5 / 8)));
    expect(softmaxHead(hidden, table, target, { labelSmoothing: 0.3 }).dataSync()[0]).toBeCloseTo(smoothed, 5);
    // temperature ½ squares the odds: 1, 4, 25
    expect(softmaxHead(hidden, table, target, { temperature: 0.5 }).dataSync()[0]).toBeCloseTo(Math.log(30 / 4), 5);
    // a perfect position counts in the mean: two rows, one of them certain
    const certain = tf.tensor2d([1, 100], [2, 1]);
    expect(softmaxHead(certain, table, Int32Array.of(4, 5)).dataSync()[0]).toBeCloseTo(Math.log(4) / 2, 5);
  });

  test('softmaxHead in blocks equals softmaxHead in one', () => {
    const random = createRandom(5);
    const args = {
      hidden: tf.tensor2d(randomFloats(7 * 3, random), [7, 3]),
      table: tf.tensor2d(randomFloats(9 * 3, random), [9, 3]),
      bias: tf.tensor1d(randomFloats(9, random)),
      targetIds: Int32Array.of(3, 4, 5, 6, 7, 8, 3),
      firstRow: 3,
      temperature: 1,
      labelSmoothing: 0.1,
      withGradients: true,
    };
    const whole = softmaxHeadReference(args);
    const blocks = softmaxHeadReference(args, 12);
    for (const key of ['loss', 'hidden', 'table', 'bias'] as const) {
      assertClose(key, blocks[key]?.dataSync() ?? [], whole[key]?.dataSync() ?? [1], 1e-6);
    }
  });

  test('softmaxHead never holds more than four blocks of logits, however many rows there are', async () => {
    const [width, numItems, maxLogits] = [2, 1000, 10_000];
    const table = tf.zeros([numItems + 3, width]) as tf.Tensor2D;
    for (const numRows of [500, 2000]) {
      const hidden = tf.zeros([numRows, width]) as tf.Tensor2D;
      const targetIds = new Int32Array(numRows).fill(3);
      const args = {
        hidden,
        table,
        targetIds,
        firstRow: 3,
        temperature: 0.5,
        labelSmoothing: 0.1,
        withGradients: true,
      };
      const before = tf.memory().numBytes;
      const { peakBytes } = await tf.profile(() => tf.tidy(() => void softmaxHeadReference(args, maxLogits)));
      // Besides the blocks a few arrays of N × D and V × D; all logits at once would be 2 and 8 MB.
      const small = 12 * 4 * (width + 1) * (numRows + numItems);
      expect(peakBytes - before).toBeLessThan(4 * 4 * maxLogits + small);
      expect(4 * 4 * maxLogits + small).toBeLessThan(4 * numRows * numItems);
    }
  });

  describe('sampledHead by hand', () => {
    // hidden 1, items 3 … 6 score 0, ln 2, ln 3, 1
    const table = () => tf.tensor2d([9, 9, 9, 0, Math.log(2), Math.log(3), 1], [7, 1]);
    const loss = (target: number, options: SampledHeadOptions) =>
      sampledHead(tf.tensor2d([1], [1, 1]), table(), Int32Array.of(target), options).dataSync()[0];
    const negatives = { shared: Int32Array.of(4, 5) };
    const log1e = (x: number) => Math.log(1 + Math.exp(x));

    test('softmax: odds 1 against 2 and 3; own negatives alike; the target among the negatives is left out', () => {
      expect(loss(3, { negatives })).toBeCloseTo(Math.log(6), 5);
      expect(loss(3, { negatives: { own: Int32Array.of(4, 5) } })).toBeCloseTo(Math.log(6), 5);
      expect(loss(4, { negatives })).toBeCloseTo(Math.log(5 / 2), 5);
      expect(loss(4, { negatives: { shared: Int32Array.of(4) } })).toBeCloseTo(0, 6);
      // a logQ of ln ½ doubles the odds: 4 against 2 and 6
      const logQ = { targets: Float32Array.of(Math.log(1 / 4)), negatives: Float32Array.of(0, Math.log(1 / 2)) };
      expect(loss(3, { negatives, logQ })).toBeCloseTo(Math.log(12 / 4), 5);
    });

    test('bce: σ(0) = ½, σ(ln 2) = ⅔, σ(ln 3) = ¾', () => {
      expect(loss(3, { negatives, form: 'bce' })).toBeCloseTo(Math.log(2 * 3 * 4), 5);
    });

    test('gbce: two of three possible negatives, t = ½: β = 5/6', () => {
      const expected = (5 / 6) * Math.log(2) + Math.log(3 * 4);
      expect(loss(3, { negatives, form: 'gbce', calibration: 0.5 })).toBeCloseTo(expected, 5);
      expect(loss(3, { negatives, form: 'gbce', calibration: 0 })).toBeCloseTo(Math.log(24), 5);
    });

    test('bprMax: weights 2/5 and 3/5, σ(−ln 2) = ⅓, σ(−ln 3) = ¼', () => {
      const ranking = -Math.log((2 / 5) * (1 / 3) + (3 / 5) * (1 / 4));
      const penalty = (2 / 5) * Math.log(2) ** 2 + (3 / 5) * Math.log(3) ** 2;
      expect(loss(3, { negatives, form: 'bprMax', bpreg: 0 })).toBeCloseTo(ranking, 5);
      expect(loss(3, { negatives, form: 'bprMax', bpreg: 0.5 })).toBeCloseTo(ranking + 0.5 * penalty, 5);
      expect(loss(4, { negatives: { shared: Int32Array.of(4) }, form: 'bprMax' })).toBe(0);
    });

    test('bprMax with elu ½: a score of −ln 2 becomes −¼', () => {
      const value = (target: number) =>
        sampledHead(tf.tensor2d([-1], [1, 1]), table(), Int32Array.of(target), {
          negatives: { shared: Int32Array.of(4) },
          form: 'bprMax',
          bpreg: 2,
          elu: 0.5,
        }).dataSync()[0];
      expect(value(3)).toBeCloseTo(log1e(-1 / 4) + 2 / 16, 5);
      expect(value(5)).toBeCloseTo(log1e(-1 / 4 + 1 / 3) + 2 / 16, 5);
    });

    test('tanh: scores 0, ln 2, ln 3 become 0, .6, .8; the losses that are not pairwise see them as they are', () => {
      const [odds, square] = [[Math.exp(0.6), Math.exp(0.8)], (x: number) => sigmoid(x * x)];
      const weights = odds.map((x) => x / (odds[0] + odds[1]));
      const top1 = [sigmoid(0.6) + square(0.6), sigmoid(0.8) + square(0.8)];
      const bent = (form: SampledHeadOptions['form']) => loss(3, { negatives, form, bpreg: 0.5, tanh: true });
      expect(bent('bpr')).toBeCloseTo((log1e(0.6) + log1e(0.8)) / 2, 5);
      expect(bent('top1')).toBeCloseTo((top1[0] + top1[1]) / 2, 5);
      expect(bent('top1Max')).toBeCloseTo(weights[0] * top1[0] + weights[1] * top1[1], 5);
      const ranking = -Math.log(weights[0] * sigmoid(-0.6) + weights[1] * sigmoid(-0.8));
      expect(bent('bprMax')).toBeCloseTo(ranking + 0.5 * (weights[0] * 0.36 + weights[1] * 0.64), 5);
      expect(bent('softmax')).toBeCloseTo(Math.log(6), 5);
    });

    test('bpr: σ(−ln 2) = ⅓, σ(−ln 3) = ¼; the mean over the negatives that take part', () => {
      expect(loss(3, { negatives, form: 'bpr' })).toBeCloseTo((Math.log(3) + Math.log(4)) / 2, 5);
      expect(loss(4, { negatives, form: 'bpr' })).toBeCloseTo(Math.log(5 / 2), 5);
      expect(loss(4, { negatives: { shared: Int32Array.of(4) }, form: 'bpr' })).toBe(0);
    });

    test('top1: σ(ln 2) = ⅔, σ(ln 3) = ¾; the mean over the negatives that take part', () => {
      const square = (x: number) => sigmoid(x * x);
      const expected = (2 / 3 + square(Math.log(2)) + 3 / 4 + square(Math.log(3))) / 2;
      expect(loss(3, { negatives, form: 'top1' })).toBeCloseTo(expected, 5);
      expect(loss(4, { negatives, form: 'top1' })).toBeCloseTo(3 / 5 + square(Math.log(3)), 5);
      expect(loss(4, { negatives: { shared: Int32Array.of(4) }, form: 'top1' })).toBe(0);
    });

    test('top1Max: σ(ln 2) = ⅔, σ(ln 3) = ¾', () => {
      const sigmoidOfSquare = (x: number) => sigmoid(x * x);
      const expected =
        (2 / 5) * (2 / 3 + sigmoidOfSquare(Math.log(2))) + (3 / 5) * (3 / 4 + sigmoidOfSquare(Math.log(3)));
      expect(loss(3, { negatives, form: 'top1Max' })).toBeCloseTo(expected, 5);
      expect(loss(4, { negatives: { shared: Int32Array.of(4) }, form: 'top1Max' })).toBe(0);
    });

    test.each(['softmax', 'bce', 'gbce', 'bpr', 'bprMax', 'top1', 'top1Max'] as const)(
      '%s of enormous scores is finite',
      (form) => {
        const hidden = tf.tensor2d([300, -300], [2, 1]);
        const options = { negatives, form, bpreg: 0 };
        const value = sampledHead(hidden, table(), Int32Array.of(3, 6), options).dataSync()[0];
        expect(Number.isFinite(value)).toBe(true);
      },
    );

    test('a perfect position counts in the mean', () => {
      const hidden = tf.tensor2d([1, 1], [2, 1]);
      const own = Int32Array.of(6, 4);
      const value = sampledHead(hidden, table(), Int32Array.of(6, 3), { negatives: { own } }).dataSync()[0];
      expect(value).toBeCloseTo(log1e(Math.log(2)) / 2, 5);
    });
  });
});
