import { assertClose, createRandom, offsetsOf, randomFloats, randomIntegers } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { REFERENCE_BACKENDS, useBackend } from '../test/backends.ts';
import { keepHash, keepThreshold } from './keep-mask.ts';
import {
  adagrad,
  adam,
  clipByGlobalNorm,
  dropout,
  gru,
  jaggedAttention,
  linear,
  residualNorm,
  sampledHead,
  scatterRows,
  sgd,
  softmaxHead,
} from './ops.ts';
import type { SampledHeadOptions } from './sampled-head.ts';
import { softmaxHeadReference } from './softmax-head.ts';

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

  test('two steps of Adam by hand', () => {
    const parameter = tf.variable(tf.tensor1d([1]));
    const moment1 = tf.variable(tf.tensor1d([0]));
    const moment2 = tf.variable(tf.tensor1d([0]));
    let [p, m, v] = [1, 0, 0];
    for (const [step, g] of [
      [1, 0.5],
      [2, -2],
    ]) {
      m = 0.9 * m + 0.1 * g;
      v = 0.99 * v + 0.01 * g * g;
      p -= 0.1 * (m / (1 - 0.9 ** step) / (Math.sqrt(v / (1 - 0.99 ** step)) + 1e-8) + 0.01 * p);
      const gradient = tf.tensor1d([g]);
      const rest = { learningRate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.01 };
      adam({ parameter, gradient, moment1, moment2, ...rest, step });
      assertClose(`after step ${step}`, parameter.dataSync(), [p], 1e-6);
    }
    tf.dispose([parameter, moment1, moment2]);
  });

  test('Adam of named rows: others do not change at all, named ones as dense Adam where the two are the same', () => {
    const start = [1, 2, 3, 4, 5, 6];
    const rest = { learningRate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0 };
    const create = () => {
      const [parameter, moment1, moment2] = [start, 0, 0].map((values) =>
        tf.tidy(() => tf.variable(values === 0 ? tf.zeros([3, 2]) : tf.tensor(values, [3, 2]))),
      );
      return { parameter, moment1, moment2 };
    };
    const [dense, lazy] = [create(), create()];
    const step = (number: number, gradient: number[], rows: number[]) => {
      const full = tf.tensor2d(gradient, [3, 2]);
      adam({ ...dense, ...rest, gradient: full, step: number });
      const own = tf.tensor2d(
        rows.flatMap((r) => gradient.slice(2 * r, 2 * r + 2)),
        [rows.length, 2],
      );
      adam({ ...lazy, ...rest, gradient: own, step: number, rows: Int32Array.from(rows) });
      tf.dispose([full, own]);
    };
    const row = (variable: tf.Variable, r: number) => [...variable.dataSync()].slice(2 * r, 2 * r + 2);
    const all = (v: typeof dense, r: number) => [row(v.parameter, r), row(v.moment1, r), row(v.moment2, r)];
    const before = tf.memory().numTensors;
    step(1, [0, 0, 0, 0, 1, -2], [2]);
    expect([0, 1].map((r) => all(lazy, r))).toEqual([0, 1].map((r) => [start.slice(2 * r, 2 * r + 2), [0, 0], [0, 0]]));
    // Row 1 is named for the first time, row 2 again: both as dense Adam has them, bias correction of step 2 included.
    step(2, [0, 0, 3, 0.5, -1, 1], [2, 1]);
    expect([0, 1, 2].map((r) => all(lazy, r))).toEqual([0, 1, 2].map((r) => all(dense, r)));
    // Row 2 is not named any more: dense Adam goes on with its momentum, this one leaves it.
    const kept = all(lazy, 2);
    step(3, [0, 0, 1, 1, 0, 0], [1]);
    expect(all(lazy, 2)).toEqual(kept);
    expect(all(dense, 2)).not.toEqual(kept);
    expect(all(lazy, 1)).toEqual(all(dense, 1));
    step(4, [0, 0, 0, 0, 0, 0], []);
    expect(all(lazy, 2)).toEqual(kept);
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([dense, lazy]);
  });

  test.each([0, 0.5])('two steps of Adagrad by hand, momentum %d', (momentum) => {
    const parameter = tf.variable(tf.tensor1d([1, 2]));
    const accumulator = tf.variable(tf.zeros([2]), false);
    const velocity = momentum > 0 ? tf.variable(tf.zeros([2]), false) : undefined;
    const step = (gradient: number[]) => {
      const rest = { learningRate: 0.1, epsilon: 1e-12, momentum, weightDecay: 0 };
      adagrad({ parameter, gradient: tf.tensor1d(gradient), accumulator, velocity, ...rest });
    };
    step([3, 0]); // a = 9, 0: g / √a = 1, 0
    assertClose('after step 1', parameter.dataSync(), [0.9, 2], 1e-6);
    step([4, -2]); // a = 25, 4: g / √a = 0.8, −1; with momentum half of the first update, 0.05, comes on top
    assertClose('after step 2', parameter.dataSync(), momentum > 0 ? [0.77, 2.1] : [0.82, 2.1], 1e-6);
    assertClose('accumulator', accumulator.dataSync(), [25, 4], 1e-6);
    if (velocity) assertClose('velocity', velocity.dataSync(), [0.13, -0.1], 1e-6);
    tf.dispose([parameter, accumulator, ...(velocity ? [velocity] : [])]);
  });

  test('two steps of gradient descent by hand, without and with momentum', () => {
    const plain = tf.variable(tf.tensor1d([1]));
    const heavy = tf.variable(tf.tensor1d([1]));
    const velocity = tf.variable(tf.zeros([1]), false);
    const step = (gradient: number, learningRate: number) => {
      const rest = { gradient: tf.tensor1d([gradient]), learningRate };
      sgd({ parameter: plain, ...rest, momentum: 0, weightDecay: 0 });
      sgd({ parameter: heavy, velocity, ...rest, momentum: 0.9, weightDecay: 0.1 });
    };
    step(2, 0.1); // 1 − 0.1 · 2; with momentum b = 2 + 0.1 · 1 = 2.1
    assertClose('plain, step 1', plain.dataSync(), [0.8], 1e-6);
    assertClose('momentum, step 1', heavy.dataSync(), [0.79], 1e-6);
    step(-1, 0.2); // 0.8 + 0.2; b = 0.9 · 2.1 − 1 + 0.1 · 0.79 = 0.969, 0.79 − 0.2 · 0.969
    assertClose('plain, step 2', plain.dataSync(), [1], 1e-6);
    assertClose('momentum, step 2', heavy.dataSync(), [0.5962], 1e-6);
    assertClose('velocity', velocity.dataSync(), [0.969], 1e-6);
    tf.dispose([plain, heavy, velocity]);
  });

  test('clipByGlobalNorm: 3-4-5', () => {
    const { gradients, norm } = clipByGlobalNorm([tf.tensor1d([3]), tf.tensor1d([4])], 1);
    expect(norm).toBe(5);
    assertClose(
      'clipped',
      gradients.map((g) => g.dataSync()[0]),
      [0.6, 0.8],
      1e-6,
    );
    const small = [tf.tensor1d([0.1])];
    expect(clipByGlobalNorm(small, 1).gradients).toBe(small);
  });
});
