import { assertClose } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { REFERENCE_BACKENDS, useBackend } from '../test/backends.ts';
import { adagrad, adam, clipByGlobalNorm, sgd } from './ops.ts';

/** Values by formulas written out in plain float64 JavaScript, or by hand. */
describe.each(REFERENCE_BACKENDS)('on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  test.each([0, 0.3])('two steps of Adam by hand, l2 %d', (l2) => {
    const parameter = tf.variable(tf.tensor1d([1]));
    const moment1 = tf.variable(tf.tensor1d([0]));
    const moment2 = tf.variable(tf.tensor1d([0]));
    let [p, m, v] = [1, 0, 0];
    for (const [step, g] of [
      [1, 0.5],
      [2, -2],
    ]) {
      const whole = g + l2 * p;
      m = 0.9 * m + 0.1 * whole;
      v = 0.99 * v + 0.01 * whole * whole;
      p -= 0.1 * (m / (1 - 0.9 ** step) / (Math.sqrt(v / (1 - 0.99 ** step)) + 1e-8) + 0.01 * p);
      const gradient = tf.tensor1d([g]);
      const rest = { learningRate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.01, l2 };
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
