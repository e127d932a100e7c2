import { jest } from '@jest/globals';
import * as tf from '@tensorflow/tfjs';
import { configurations, configure, evaluateOn, relativeDifference } from '../test/compare-backends.ts';
import { createRandom, randomFloats } from '../test/random-arrays.ts';
import { nativeBackendFallbacks } from './tf-kernels.ts';

const random = createRandom(3);
const array = (...shape: number[]) => ({
  shape,
  values: randomFloats(
    random,
    shape.reduce((size, n) => size * n, 1),
  ),
});

type Op = (...tensors: tf.Tensor[]) => tf.Tensor;

function expectLikeCpu(inputs: ReturnType<typeof array>[], op: Op, tolerance = 1e-5): void {
  const expected = evaluateOn('cpu', inputs, op);
  for (const configuration of configurations()) {
    configure(configuration);
    const got = evaluateOn('native', inputs, op);
    expect(relativeDifference(got.value, expected.value)).toBeLessThan(tolerance);
    got.gradients.forEach((g, i) => {
      expect(relativeDifference(g, expected.gradients[i])).toBeLessThan(tolerance);
    });
  }
}

describe('matrix product', () => {
  test.each([
    [1, 1, 1],
    [3, 5, 7],
    [13, 33, 17],
    [64, 70, 65],
    [1, 700, 40],
    [100, 3, 2],
    [20, 40, 1100],
    [130, 1, 90],
    [30, 1300, 3],
  ])('%i × %i times %i, all transposes', (m, n, k) => {
    for (const [transposeA, transposeB] of [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ]) {
      expectLikeCpu([transposeA ? array(k, m) : array(m, k), transposeB ? array(n, k) : array(k, n)], (a, b) =>
        tf.matMul(a, b, transposeA, transposeB),
      );
    }
  });

  test('an empty inner dimension gives zeros', () => {
    configure(configurations()[0]);
    tf.setBackend('native');
    expect([...tf.matMul(tf.zeros([2, 0]), tf.zeros([0, 3])).dataSync()]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test('batches, shared operands and fused bias with activation', () => {
    expectLikeCpu([array(5, 9, 4), array(5, 4, 11)], (a, b) => tf.matMul(a, b));
    expectLikeCpu([array(2, 3, 9, 4), array(2, 3, 11, 4)], (a, b) => tf.matMul(a, b, false, true));
    expectLikeCpu([array(20, 9), array(9, 11), array(11)], (a, b, bias) =>
      tf.fused.matMul({ a: a as tf.Tensor2D, b: b as tf.Tensor2D, bias, activation: 'relu' }),
    );
  });
});

test('an operand that all products of a batch share', () => {
  configure(configurations()[0]);
  const [a, b] = [array(5, 9, 4), array(1, 4, 11)];
  const run = () => tf.matMul(tf.tensor(a.values, a.shape), tf.tensor(b.values, b.shape)).dataSync();
  tf.setBackend('cpu');
  const expected = run();
  tf.setBackend('native');
  expect(relativeDifference(run(), expected)).toBeLessThan(1e-5);
});

test.each([
  ['add', tf.add],
  ['sub', tf.sub],
  ['mul', tf.mul],
] as const)('%s broadcasts as on the cpu', (_name, op) => {
  const shapes = [
    [
      [20, 13],
      [20, 13],
    ],
    [[20, 13], [13]],
    [[13], [20, 13]],
    [
      [20, 13],
      [1, 13],
    ],
    [
      [20, 13],
      [20, 1],
    ],
    [[20, 13], []],
    [
      [4, 5, 13],
      [5, 13],
    ],
  ];
  for (const [a, b] of shapes) expectLikeCpu([array(...a), array(...b)], (x, y) => op(x, y));
});

test('functions, sums, transposes and gathers as on the cpu', () => {
  const functions: Op[] = [tf.relu, tf.tanh, tf.sigmoid, tf.exp, tf.square, tf.neg];
  for (const f of functions) expectLikeCpu([array(30, 7)], (x) => f(x));
  for (const axis of [undefined, 0, 1, [0, 1], 2]) {
    expectLikeCpu([array(12, 5, 9)], (x) => tf.sum(x, axis));
    expectLikeCpu([array(12, 5, 9)], (x) => tf.sum(x, axis, true));
  }
  expectLikeCpu([array(40, 33)], (x) => tf.transpose(x));
  expectLikeCpu([array(10, 33)], (x) => tf.gather(x, tf.tensor1d([3, 3, 9, 0], 'int32')));
});

describe('blocks', () => {
  test('slices of random shapes, empty and whole ones among them, and their gradients', () => {
    const whole = (from: number, to: number) => from + Math.floor(random() * (to - from + 1));
    for (let round = 0; round < 60; round++) {
      const rank = whole(1, 5);
      const shape = Array.from({ length: rank }, () => whole(1, rank > 3 ? 5 : 20));
      const begin = shape.map((n) => (random() < 0.4 ? 0 : whole(0, n - 1)));
      const size = shape.map((n, i) => (random() < 0.4 ? n - begin[i] : whole(round % 5 ? 1 : 0, n - begin[i])));
      const x = array(...shape);
      configure(configurations()[0]);
      tf.setBackend('native');
      const got = tf.tidy(() => tf.slice(tf.tensor(x.values, shape), begin, size).dataSync());
      tf.setBackend('cpu');
      const expected = tf.tidy(() => tf.slice(tf.tensor(x.values, shape), begin, size).dataSync());
      expect([shape, begin, size, ...got]).toEqual([shape, begin, size, ...expected]);
    }
    expectLikeCpu([array(12, 40)], (x) => tf.square(tf.slice(x, [1, 3], [10, 20])));
  });

  test('parts along every axis, equal and unequal, and their gradients', () => {
    for (const axis of [0, 1, 2, -1]) {
      expectLikeCpu([array(6, 9, 12)], (x) => {
        const [a, b, c] = tf.split(x, 3, axis);
        return tf.add(tf.mul(a, b), tf.square(c));
      });
    }
    const parts = tf.split(tf.range(0, 200).reshape([2, 100]), [1, 30, 0, 69], 1);
    expect(parts.map(({ shape }) => shape)).toEqual([
      [2, 1],
      [2, 30],
      [2, 0],
      [2, 69],
    ]);
    expect([...parts[0].dataSync()]).toEqual([0, 100]);
    expect([...parts[1].dataSync()].slice(28, 32)).toEqual([29, 30, 101, 102]);
    expect(parts[3].dataSync()[137]).toBe(199);
  });

  test('a slice beyond its tensor is refused', () => {
    tf.setBackend('native');
    expect(() => tf.slice(tf.ones([20, 20]), [1, 0], [20, 20])).toThrow(/slice|size/i);
  });
});

test('a view that JavaScript kernels return does not change when its source is disposed and its memory reused', () => {
  configure(configurations()[0]);
  tf.setBackend('native');
  const source = tf.add(tf.fill([64, 64], 1), tf.fill([64, 64], 1));
  const [top] = tf.split(source, 2);
  const slice = tf.slice(source, [1, 0], [1, 64]);
  const read = source.dataSync();
  source.dispose();
  const other = tf.add(tf.fill([64, 64], 3), tf.fill([64, 64], 4));
  expect(new Set(top.dataSync())).toEqual(new Set([2]));
  expect(new Set(slice.dataSync())).toEqual(new Set([2]));
  expect(new Set(read)).toEqual(new Set([2]));
  tf.dispose([top, slice, other]);
});

test('an operation on many elements without a kernel is named, once', () => {
  tf.setBackend('native');
  const warn = jest.spyOn(console, 'warn').mockImplementation(() => {});
  expect(nativeBackendFallbacks()).not.toContain('Cumsum');
  tf.cumsum(tf.ones([100]));
  expect(warn.mock.calls).toEqual([]);
  for (let i = 0; i < 3; i++) tf.cumsum(tf.ones([70_000]));
  expect(warn.mock.calls).toEqual([
    [
      'native backend: Cumsum on 70000 elements runs in plain JavaScript, many times slower than a kernel; this is said once',
    ],
  ]);
  expect(nativeBackendFallbacks()).toContain('Cumsum');
  warn.mockRestore();
});

test('exp and sqrt keep their limits', () => {
  tf.setBackend('native');
  const x = tf.tensor1d([...Array(62).fill(0), Number.NEGATIVE_INFINITY, 1000]);
  const y = tf.exp(x).dataSync();
  expect([y[61], y[62], y[63]]).toEqual([1, 0, Number.POSITIVE_INFINITY]);
});
