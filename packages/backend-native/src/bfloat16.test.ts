import { jest } from '@jest/globals';
import { linear, softmaxHead, withProductPrecision } from '@nimue/ops';
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import {
  type ArrayInput,
  configurations,
  configure,
  type Evaluation,
  evaluateOn,
  expectAgreement,
  relativeDifference,
  sameBits,
  withEmulatedBfloat16,
} from '../test/compare-backends.ts';
import { type Matrix, matrix, product } from '../test/float64-reference.ts';
import { createRandom, randomFloats, randomIds } from '../test/random-arrays.ts';
import { nativeAddon, registerNativeBackend } from './register-native-backend.ts';

beforeAll(() => {
  expect(registerNativeBackend()).toMatchObject({ available: true });
});

const random = createRandom(11);
const array = (shape: number[], spread = 1): ArrayInput => ({
  shape,
  values: randomFloats(
    random,
    shape.reduce((size, n) => size * n, 1),
    spread,
  ),
});

/** To 8 significant bits, ties to even: by arithmetic on the numbers, not on their bits as the kernels do it. */
function rounded(x: number): number {
  if (x === 0) return 0;
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(x))) - 7);
  const whole = Math.floor(x / unit);
  const rest = x / unit - whole;
  return unit * (rest > 0.5 || (rest === 0.5 && whole % 2 !== 0) ? whole + 1 : whole);
}
const roundedMatrix = (rows: number, columns: number, values: ArrayLike<number>) =>
  matrix(rows, columns, Float64Array.from(values, rounded));

function transposed({ rows, columns, values }: Matrix): Matrix {
  return matrix(
    columns,
    rows,
    Float64Array.from({ length: rows * columns }, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]),
  );
}

test('a number half way between two goes to the even one', () => {
  expect([1 + 2 ** -8, 1 + 3 * 2 ** -8, -1 - 2 ** -8, 2.7, 2 ** -70].map(rounded)).toEqual([
    1,
    1.015625,
    -1,
    2.703125,
    2 ** -70,
  ]);
});

describe('linear with bfloat16 operands', () => {
  test.each([
    [0, 3, 2],
    [1, 1, 1],
    [2, 1, 17],
    [7, 5, 3],
    [33, 16, 16],
    [97, 31, 40],
    [300, 64, 64],
    [1000, 24, 130],
  ])('%i × %i → %i: the double-precision products of the rounded operands, on any number of threads', (n, i, o) => {
    const inputs = [array([n, i]), array([i, o]), array([o])];
    const [x, weights, bias] = inputs.map(({ values }) => values);
    // evaluate() weighs the values with these, so they are what comes back.
    const dy = randomFloats(createRandom(99), n * o);
    const y = product(roundedMatrix(n, i, x), roundedMatrix(i, o, weights)).values.map((z, at) => z + bias[at % o]);
    const dx = product(roundedMatrix(n, o, dy), transposed(roundedMatrix(i, o, weights))).values;
    const dWeights = product(transposed(roundedMatrix(n, i, x)), roundedMatrix(n, o, dy)).values;
    withEmulatedBfloat16(() => {
      const bits = new Map<string, Evaluation>();
      for (const configuration of configurations()) {
        configure(configuration);
        if (!nativeAddon().hasBf16()) continue; // AVX-512 of the generations before bfloat16
        const got = evaluateOn('native', inputs, (x, w, b) =>
          withProductPrecision('bfloat16', () => linear(x as Tensor2D, w as Tensor2D, b as Tensor1D)),
        );
        expect(relativeDifference(got.value, y)).toBeLessThan(2e-6);
        expect(relativeDifference(got.gradients[0], dx)).toBeLessThan(2e-6);
        expect(relativeDifference(got.gradients[1], dWeights)).toBeLessThan(3e-6);
        const before = bits.get(configuration.isa);
        if (before) expect(sameBits(got, before)).toBe(true);
        bits.set(configuration.isa, got);
      }
      expect(bits.size).toBeGreaterThan(0);
    });
  });

  // Not relu: a sum that rounding moves across 0 has another gradient.
  test('smooth activations and their gradients are close to single precision', () => {
    withEmulatedBfloat16(() => {
      for (const activation of ['gelu', 'silu', 'tanh', 'sigmoid'] as const) {
        expectAgreement(
          [array([50, 20]), array([20, 30], 0.2), array([30])],
          (x, weights, bias) =>
            withProductPrecision('bfloat16', () =>
              linear(x as Tensor2D, weights as Tensor2D, bias as Tensor1D, activation),
            ),
          1e-2,
        );
      }
    });
  });
});

describe('softmaxHead with bfloat16 operands', () => {
  test.each([
    [1, 4, 1],
    [33, 140, 17],
    [230, 400, 32],
  ])(
    '%i rows, table %i × %i: close to single precision, and the same bits on any number of threads',
    (rows, items, width) => {
      const targets = randomIds(random, rows, 3, items);
      const inputs = [array([rows, width], 0.5), array([items, width], 0.5), array([items])];
      const head = (precision: 'bfloat16' | 'float32') => (hidden: Tensor, table: Tensor, bias: Tensor) =>
        softmaxHead(hidden as Tensor2D, table as Tensor2D, targets, {
          bias: bias as Tensor1D,
          labelSmoothing: 0.1,
          precision,
        });
      withEmulatedBfloat16(() => {
        expectAgreement(inputs, head('bfloat16'), 2e-3);
        configure({ isa: nativeAddon().instructionSets().at(-1) as string, threads: 1 });
        const [half, single] = (['bfloat16', 'float32'] as const).map((p) => evaluateOn('native', inputs, head(p)));
        expect(sameBits(half, single)).toBe(false);
      });
    },
  );
});

test('a processor without such products says so once and computes in float32', () => {
  const [isa] = nativeAddon()
    .instructionSets()
    .filter((name) => nativeAddon().setInstructionSet(name) && !nativeAddon().hasBf16());
  configure({ isa, threads: 1 });
  const warn = jest.spyOn(console, 'warn').mockImplementation(() => {});
  const inputs = [array([5, 4]), array([4, 3])];
  const run = (precision: 'bfloat16' | 'float32') =>
    evaluateOn('native', inputs, (x, w) => withProductPrecision(precision, () => linear(x as Tensor2D, w as Tensor2D)));
  expect(sameBits(run('bfloat16'), run('float32'))).toBe(true);
  run('bfloat16');
  expect(warn.mock.calls).toEqual([['native backend: this processor has no bfloat16 products; computing in float32']]);
  warn.mockRestore();
});

test('the precision ends with its scope, an error included', () => {
  tf.setBackend('native');
  const x = tf.ones([1, 1]) as Tensor2D;
  const outside = () => linear(x, tf.tensor2d([[1 + 2 ** -10]])).dataSync()[0];
  const exact = outside();
  expect(() =>
    withProductPrecision('bfloat16', () => {
      throw new Error('stop');
    }),
  ).toThrow('stop');
  expect(outside()).toBe(exact);
  expect(() => withProductPrecision('float16' as 'bfloat16', () => 0)).toThrow(
    "withProductPrecision: precision must be 'float32' or 'bfloat16', got 'float16'",
  );
});
