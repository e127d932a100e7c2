import { assertClose, createRandom, randomFloats } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { REFERENCE_BACKENDS, useBackend } from '../test/backends.ts';
import { sampledHead, softmaxHead } from './ops.ts';
import type { Negatives, SampledHeadOptions } from './sampled-head.ts';

const [N, V, D] = [7, 13, 4];
const WEIGHTS = Float32Array.of(1, 5, 1, 0, 2.5, 5, 1);
const targetIds = Int32Array.of(3, 4, 9, 12, 3, 7, 5);

type Inputs = [hidden: tf.Tensor2D, table: tf.Tensor2D, bias: tf.Tensor1D];

/** Value and gradients of Σₙ wₙ lossₙ / Σₙ wₙ, each row by a call of its own. */
function byRow(
  inputs: Inputs,
  lossOfRow: (n: number, hidden: tf.Tensor2D, table: tf.Tensor2D, bias: tf.Tensor1D) => tf.Scalar,
) {
  const total = WEIGHTS.reduce((sum, weight) => sum + weight, 0);
  return tf.valueAndGrads((hidden: tf.Tensor, table: tf.Tensor, bias: tf.Tensor) => {
    const rows = Array.from(WEIGHTS, (weight, n) => {
      const row = tf.slice(hidden as tf.Tensor2D, [n, 0], [1, D]);
      return tf.mul(lossOfRow(n, row, table as tf.Tensor2D, bias as tf.Tensor1D), weight / total);
    });
    return tf.addN(rows) as tf.Scalar;
  })(inputs);
}

describe.each(REFERENCE_BACKENDS)('on %s', (backend) => {
  let inputs: Inputs;
  beforeAll(async () => {
    await useBackend(backend);
    const random = createRandom(8);
    inputs = [
      tf.tensor2d(randomFloats(N * D, random), [N, D]),
      tf.tensor2d(randomFloats(V * D, random), [V, D]),
      tf.tensor1d(randomFloats(V, random)),
    ];
  });
  const assertSame = (
    got: ReturnType<ReturnType<typeof tf.valueAndGrads>>,
    expected: ReturnType<ReturnType<typeof tf.valueAndGrads>>,
  ) => {
    assertClose('loss', got.value.dataSync(), expected.value.dataSync(), 1e-5);
    for (const [i, gradient] of got.grads.entries()) {
      assertClose(`gradient ${i}`, gradient.dataSync(), expected.grads[i].dataSync(), 1e-5);
    }
  };

  test('softmaxHead: loss and gradients are the weighted mean of the rows', () => {
    const options = { temperature: 0.7, labelSmoothing: 0.1 };
    const expected = byRow(inputs, (n, hidden, table, bias) =>
      softmaxHead(hidden, table, targetIds.slice(n, n + 1), { ...options, bias }),
    );
    const got = tf.valueAndGrads((hidden: tf.Tensor, table: tf.Tensor, bias: tf.Tensor) =>
      softmaxHead(hidden as tf.Tensor2D, table as tf.Tensor2D, targetIds, {
        ...options,
        bias: bias as tf.Tensor1D,
        weights: WEIGHTS,
      }),
    )(inputs);
    assertSame(got, expected);
    // A row of weight 3 counts as three rows.
    const [hidden, table] = inputs;
    const rowsFrom = (n: number, count: number) => tf.slice(hidden, [n, 0], [count, D]) as tf.Tensor2D;
    const both = softmaxHead(rowsFrom(0, 2), table, targetIds.slice(0, 2), { weights: Float32Array.of(1, 3) });
    const [first, second] = [0, 1].map(
      (n) => softmaxHead(rowsFrom(n, 1), table, targetIds.slice(n, n + 1)).dataSync()[0],
    );
    expect(both.dataSync()[0]).toBeCloseTo((first + 3 * second) / 4, 5);
  });

  const SHARED = Int32Array.of(3, 8, 9, 10);
  const excluded = { offsets: Int32Array.of(0, 1, 1, 3, 3, 3, 3, 4), itemIds: Int32Array.of(8, 3, 10, 9) };
  const own = Int32Array.from({ length: N * 3 }, (_, i) => 3 + ((i * 7) % 10));
  const logQ = (count: number) => ({
    targets: Float32Array.from({ length: N }, (_, n) => -n / 3),
    negatives: Float32Array.from({ length: count }, (_, j) => -j / 5),
  });
  const cases: [string, SampledHeadOptions, (n: number) => SampledHeadOptions][] = [
    [
      'a shared list',
      { negatives: { shared: SHARED }, form: 'bprMax', bpreg: 0.5 },
      () => ({ negatives: { shared: SHARED }, form: 'bprMax', bpreg: 0.5 }),
    ],
    [
      'a shared list with items left out, corrected',
      { negatives: { shared: SHARED, excluded }, logQ: logQ(4) },
      (n) => {
        const some = excluded.itemIds.slice(excluded.offsets[n], excluded.offsets[n + 1]);
        const negatives: Negatives = {
          shared: SHARED,
          excluded: { offsets: Int32Array.of(0, some.length), itemIds: some },
        };
        return { negatives, logQ: { targets: logQ(4).targets.slice(n, n + 1), negatives: logQ(4).negatives } };
      },
    ],
    [
      'negatives of its own, corrected',
      { negatives: { own }, logQ: logQ(N * 3), form: 'softmax' },
      (n) => ({
        negatives: { own: own.slice(3 * n, 3 * n + 3) },
        logQ: {
          targets: logQ(N * 3).targets.slice(n, n + 1),
          negatives: logQ(N * 3).negatives.slice(3 * n, 3 * n + 3),
        },
      }),
    ],
  ];
  test.each(cases)('sampledHead, %s: loss and gradients are the weighted mean of the rows', (_name, options, ofRow) => {
    const expected = byRow(inputs, (n, hidden, table, bias) =>
      sampledHead(hidden, table, targetIds.slice(n, n + 1), { ...ofRow(n), bias }),
    );
    const got = tf.valueAndGrads((hidden: tf.Tensor, table: tf.Tensor, bias: tf.Tensor) =>
      sampledHead(hidden as tf.Tensor2D, table as tf.Tensor2D, targetIds, {
        ...options,
        bias: bias as tf.Tensor1D,
        weights: WEIGHTS,
      }),
    )(inputs);
    assertSame(got, expected);
  });

  test('equal weights change nothing; weights of 0 alone teach nothing', () => {
    const [hidden, table] = inputs;
    const plain = softmaxHead(hidden, table, targetIds).dataSync()[0];
    expect(softmaxHead(hidden, table, targetIds, { weights: new Float32Array(N).fill(3) }).dataSync()[0]).toBe(plain);
    const nothing = (x: tf.Tensor) => softmaxHead(x as tf.Tensor2D, table, targetIds, { weights: new Float32Array(N) });
    assertClose('gradient', tf.grad(nothing)(hidden).dataSync(), new Array(N * D).fill(0), 0);
    expect(Math.abs(nothing(hidden).dataSync()[0])).toBe(0);
    const none = tf.zeros([0, D]) as tf.Tensor2D;
    expect(softmaxHead(none, table, new Int32Array(0), { weights: new Float32Array(0) }).dataSync()[0]).toBe(0);
  });

  test('weights that are not one a row, or no weights, are refused', () => {
    const [hidden, table] = inputs;
    const call = (weights: Float32Array) => () => softmaxHead(hidden, table, targetIds, { weights });
    expect(call(new Float32Array(3))).toThrow('softmaxHead: there are 3 weights for 7 rows');
    expect(call(Float32Array.from(WEIGHTS, (weight) => -weight))).toThrow(
      'weights[0] is -1, expected a finite number ≥ 0',
    );
    expect(call(WEIGHTS.map((weight) => weight / 0))).toThrow('weights[0] is Infinity');
  });
});
