import { adagrad, adam, clipByGlobalNorm, globalNorm, sgd, withReferenceOps } from '@nimue/ops';
import * as tf from '@tensorflow/tfjs';
import { configurations, configure, relativeDifference } from '../test/compare-backends.ts';
import { createRandom, randomFloats } from '../test/random-arrays.ts';

const ADAM = { learningRate: 0.01, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.1, l2: 0.2 };

function threeSteps(values: Float32Array, gradients: readonly Float32Array[]): Float32Array[] {
  return tf.tidy(() => {
    const parameter = tf.variable(tf.tensor1d(values));
    const moment1 = tf.variable(tf.zerosLike(parameter), false);
    const moment2 = tf.variable(tf.zerosLike(parameter), false);
    gradients.forEach((gradient, i) => {
      const step = { ...ADAM, step: i + 1 };
      adam({ parameter, gradient: tf.tensor1d(gradient), moment1, moment2, ...step });
    });
    return [parameter, moment1, moment2].map((t) => t.dataSync() as Float32Array);
  });
}

test.each([0, 1, 15, 33, 70_000])('adam on %i numbers equals the reference', (size) => {
  const random = createRandom(size);
  const values = randomFloats(random, size);
  const gradients = [1, 2, 3].map(() => randomFloats(random, size));
  tf.setBackend('cpu');
  const expected = withReferenceOps(() => threeSteps(values, gradients));
  for (const configuration of configurations()) {
    configure(configuration);
    tf.setBackend('native');
    threeSteps(values, gradients).forEach((got, i) => {
      expect(relativeDifference(got, expected[i])).toBeLessThan(1e-6);
    });
  }
});

test.each([
  [1, 1, 1],
  [7, 5, 3],
  [40, 33, 0],
  [700, 131, 300],
])('adam on rows of [%i, %i], %i of them: as the reference, the others not at all', (numRows, width, numNamed) => {
  const random = createRandom(numRows);
  const values = randomFloats(random, numRows * width);
  const gradients = [1, 2].map(() => randomFloats(random, numNamed * width));
  // 11 has no divisor in common with any of the numbers of rows: distinct rows, out of order.
  const rows = Int32Array.from({ length: numNamed }, (_, i) => (i * 11) % numRows);
  const named = new Set(rows);
  const unnamed = Array.from({ length: numRows }, (_, row) => row).filter((row) => !named.has(row));
  expect(named.size).toBe(numNamed);
  const run = () =>
    tf.tidy(() => {
      const parameter = tf.variable(tf.tensor2d(values, [numRows, width]));
      const [moment1, moment2] = [0.5, 0.25].map((x) => tf.variable(tf.fill([numRows, width], x), false));
      gradients.forEach((gradient, i) => {
        const step = { ...ADAM, step: i + 1 };
        adam({ parameter, gradient: tf.tensor2d(gradient, [numNamed, width]), moment1, moment2, rows, ...step });
      });
      return [parameter, moment1, moment2].map((t) => t.dataSync().slice() as Float32Array);
    });
  tf.setBackend('cpu');
  const expected = withReferenceOps(run);
  const bits = new Map<string, Float32Array[]>();
  for (const configuration of configurations()) {
    configure(configuration);
    tf.setBackend('native');
    const got = run();
    got.forEach((array, i) => {
      expect(relativeDifference(array, expected[i])).toBeLessThan(1e-6);
    });
    const start = [values, values.map(() => 0.5), values.map(() => 0.25)];
    const moved = unnamed.filter((row) =>
      got.some((array, k) => {
        const own = (a: Float32Array) => Buffer.from(a.slice(row * width, (row + 1) * width).buffer);
        return !own(array).equals(own(start[k]));
      }),
    );
    expect(moved).toEqual([]);
    const other = bits.get(configuration.isa) ?? got;
    expect(got.every((array, i) => Buffer.from(array.buffer).equals(Buffer.from(other[i].buffer)))).toBe(true);
    bits.set(configuration.isa, got);
  }
});

const settings = { learningRate: 0.05, epsilon: 1e-6, weightDecay: 0.1 };

/** Parameter, accumulator and velocity after the given gradients, in float64. */
function adagradByHand(values: Float32Array, gradients: readonly Float32Array[], momentum: number): Float64Array[] {
  const p = Float64Array.from(values);
  const [a, b] = [new Float64Array(p.length), new Float64Array(p.length)];
  for (const g of gradients) {
    for (let i = 0; i < p.length; i++) {
      a[i] += g[i] ** 2;
      const fresh = settings.learningRate * (g[i] / Math.sqrt(a[i] + settings.epsilon) + settings.weightDecay * p[i]);
      b[i] = momentum * b[i] + fresh;
      p[i] -= b[i];
    }
  }
  return momentum > 0 ? [p, a, b] : [p, a];
}

/** Parameter and velocity after the given gradients, in float64. */
function sgdByHand(values: Float32Array, gradients: readonly Float32Array[], momentum: number): Float64Array[] {
  const p = Float64Array.from(values);
  const b = new Float64Array(p.length);
  for (const g of gradients) {
    for (let i = 0; i < p.length; i++) {
      b[i] = momentum * b[i] + g[i] + settings.weightDecay * p[i];
      p[i] -= settings.learningRate * b[i];
    }
  }
  return momentum > 0 ? [p, b] : [p];
}

function adagradSteps(values: Float32Array, gradients: readonly Float32Array[], momentum: number): Float32Array[] {
  return tf.tidy(() => {
    const parameter = tf.variable(tf.tensor1d(values));
    const accumulator = tf.variable(tf.zerosLike(parameter), false);
    const velocity = momentum > 0 ? tf.variable(tf.zerosLike(parameter), false) : undefined;
    for (const gradient of gradients) {
      adagrad({ parameter, gradient: tf.tensor1d(gradient), accumulator, velocity, momentum, ...settings });
    }
    return [parameter, accumulator, ...(velocity ? [velocity] : [])].map((t) => t.dataSync().slice() as Float32Array);
  });
}

function sgdSteps(values: Float32Array, gradients: readonly Float32Array[], momentum: number): Float32Array[] {
  return tf.tidy(() => {
    const parameter = tf.variable(tf.tensor1d(values));
    const velocity = momentum > 0 ? tf.variable(tf.zerosLike(parameter), false) : undefined;
    for (const gradient of gradients) {
      sgd({ parameter, gradient: tf.tensor1d(gradient), velocity, momentum, ...settings });
    }
    return [parameter, ...(velocity ? [velocity] : [])].map((t) => t.dataSync().slice() as Float32Array);
  });
}

describe.each([
  ['adagrad', adagradSteps, adagradByHand],
  ['sgd', sgdSteps, sgdByHand],
] as const)('%s', (_name, steps, byHand) => {
  test.each([0, 1, 15, 33, 70_000])(
    'on %i numbers equals float64 loops, the same bits for any thread count',
    (size) => {
      const random = createRandom(size);
      const values = randomFloats(random, size);
      const gradients = [1, 2, 3].map(() => randomFloats(random, size));
      for (const momentum of [0, 0.9]) {
        const expected = byHand(values, gradients, momentum);
        const before = new Map<string, Float32Array[]>();
        for (const configuration of configurations()) {
          configure(configuration);
          tf.setBackend('native');
          const got = steps(values, gradients, momentum);
          expect(got).toHaveLength(expected.length);
          got.forEach((array, i) => {
            expect(relativeDifference(array, expected[i])).toBeLessThan(1e-6);
          });
          const other = before.get(configuration.isa) ?? got;
          expect(got.every((array, i) => Buffer.from(array.buffer).equals(Buffer.from(other[i].buffer)))).toBe(true);
          before.set(configuration.isa, got);
        }
      }
    },
  );
});

test.each([
  ['adagrad', 1, 1, 1],
  ['adagrad', 7, 5, 3],
  ['adagrad', 700, 131, 300],
  ['sgd', 1, 1, 1],
  ['sgd', 7, 5, 3],
  ['sgd', 700, 131, 300],
] as const)('%s on rows of [%i, %i], %i of them: as the reference', (name, numRows, width, numNamed) => {
  const random = createRandom(numRows);
  const values = randomFloats(random, numRows * width);
  const gradients = [1, 2].map(() => randomFloats(random, numNamed * width));
  const rows = Int32Array.from({ length: numNamed }, (_, i) => (i * 11) % numRows);
  const run = (momentum: number) =>
    tf.tidy(() => {
      const parameter = tf.variable(tf.tensor2d(values, [numRows, width]));
      const [accumulator, velocity] = [0.5, 0.25].map((x) => tf.variable(tf.fill([numRows, width], x), false));
      for (const array of gradients) {
        const gradient = tf.tensor2d(array, [numNamed, width]);
        if (name === 'sgd') sgd({ parameter, gradient, velocity, momentum, rows, ...settings });
        else adagrad({ parameter, gradient, accumulator, velocity, momentum, rows, ...settings });
      }
      return [parameter, accumulator, velocity].map((t) => t.dataSync().slice() as Float32Array);
    });
  for (const momentum of [0, 0.9]) {
    tf.setBackend('cpu');
    const expected = withReferenceOps(() => run(momentum));
    const unnamed = [...values.keys()].filter((i) => !rows.includes(Math.floor(i / width)));
    for (const configuration of configurations()) {
      configure(configuration);
      tf.setBackend('native');
      const got = run(momentum);
      got.forEach((array, i) => {
        expect(relativeDifference(array, expected[i])).toBeLessThan(1e-6);
      });
      expect(unnamed.every((i) => got[0][i] === values[i] && got[1][i] === 0.5 && got[2][i] === 0.25)).toBe(true);
    }
  }
});

test('adam in place leaves alone what the parameter was made from', () => {
  configure(configurations()[0]);
  tf.setBackend('native');
  const own = Float32Array.of(1, 2, 3);
  const initial = tf.tensor1d(own);
  const parameter = tf.variable(initial);
  const moments = [0, 1].map(() => tf.variable(tf.zeros([3]), false));
  const copy = parameter.clone();
  for (let step = 1; step <= 2; step++) {
    adam({
      parameter,
      gradient: tf.ones([3]),
      moment1: moments[0],
      moment2: moments[1],
      learningRate: 0.1,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 0,
      step,
    });
  }
  expect([...own]).toEqual([1, 2, 3]);
  expect([...initial.dataSync()]).toEqual([1, 2, 3]);
  expect([...copy.dataSync()]).toEqual([1, 2, 3]);
  expect([...parameter.dataSync()].map((x) => Number(x.toFixed(4)))).toEqual([0.8, 1.8, 2.8]);
});

test('the global norm is that of double precision, and clipping scales in place', () => {
  const random = createRandom(1);
  const arrays = [0, 5, 100_001].map((size) => randomFloats(random, size));
  const exact = Math.sqrt(arrays.reduce((sum, a) => sum + a.reduce((s, x) => s + x * x, 0), 0));
  for (const configuration of configurations()) {
    configure(configuration);
    tf.setBackend('native');
    const tensors = arrays.map((a) => tf.tensor1d(a.slice()));
    expect(Math.abs(globalNorm(tensors) / exact - 1)).toBeLessThan(1e-6);
    const { gradients, norm } = clipByGlobalNorm(tensors, 1);
    expect(norm).toBeCloseTo(exact, 2);
    expect(globalNorm(gradients)).toBeCloseTo(1, 5);
  }
});
