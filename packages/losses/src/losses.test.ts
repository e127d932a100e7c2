import { assertClose, createRandom, numericGradient, randomFloats } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import * as losses from './losses.ts';

/** hidden, table (rows 0 … 2 reserved), bias, targets → loss by hand, per config. */
const HAND: Record<keyof typeof losses, { config: Record<string, unknown>; expected: number }[]> = {
  crossEntropy: [
    // logits of the items: 0, ln 2, ln 5 (row 1, target 4) and 0, 2 ln 2, 2 ln 5 (row 2, target 5)
    { config: {}, expected: (Math.log(8 / 2) + Math.log(30 / 25)) / 2 },
    {
      config: { temperature: 2 },
      expected: (Math.log((1 + Math.SQRT2 + Math.sqrt(5)) / Math.SQRT2) + Math.log(8 / 5)) / 2,
    },
    // −(.7 ln p(target) + .1 Σ ln p)
    {
      config: { labelSmoothing: 0.3 },
      expected:
        -(0.7 * Math.log(2 / 8) + 0.1 * Math.log(10 / 512) + 0.7 * Math.log(25 / 30) + 0.1 * Math.log(100 / 27000)) / 2,
    },
  ],
};

beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
});

test('every loss of the list has hand values', () => {
  expect(Object.keys(HAND).sort()).toEqual(Object.keys(losses).sort());
});

describe.each(Object.entries(HAND))('%s', (name, rows) => {
  const spec = losses[name as keyof typeof losses];
  const make = (config: Record<string, unknown>) => spec.create(spec.configSchema.parse(config));

  test.each(rows.map((row) => [JSON.stringify(row.config), row] as const))('hand value %s', (_label, row) => {
    const hidden = tf.tensor2d([1, 2], [2, 1]);
    const itemTable = tf.tensor2d([9, 9, 9, 0, Math.log(2), Math.log(5)], [6, 1]);
    const value = make(row.config)({ hidden, itemTable, targetIds: Int32Array.of(4, 5) }).dataSync()[0];
    expect(value).toBeCloseTo(row.expected, 5);
  });

  test.each(rows.map((row) => [JSON.stringify(row.config), row] as const))('numeric gradient %s', (_label, row) => {
    const random = createRandom(1);
    const arrays = [3 * 4, 8 * 4, 8].map((n) => randomFloats(n, random));
    const tensors = () => [tf.tensor2d(arrays[0], [3, 4]), tf.tensor2d(arrays[1], [8, 4]), tf.tensor1d(arrays[2])];
    const loss = make(row.config);
    const f = (hidden: tf.Tensor, itemTable: tf.Tensor, itemBias: tf.Tensor) =>
      loss({
        hidden: hidden as tf.Tensor2D,
        itemTable: itemTable as tf.Tensor2D,
        itemBias: itemBias as tf.Tensor1D,
        targetIds: Int32Array.of(3, 7, 3),
      });
    const gradients = tf.grads(f)(tensors());
    arrays.forEach((array, i) => {
      const [a, b, c] = [0, 1, 2];
      const numeric = numericGradient(() => {
        const t = tensors();
        return f(t[a], t[b], t[c]).dataSync()[0];
      }, array);
      assertClose(`input ${i}`, gradients[i].dataSync(), numeric, 2e-3);
    });
  });

  test('no targets: 0, not NaN', () => {
    const value = make({})({
      hidden: tf.zeros([0, 2]),
      itemTable: tf.ones([5, 2]),
      targetIds: new Int32Array(0),
    });
    expect(value.dataSync()[0]).toBe(0);
  });

  test('a reserved id is no target; unknown keys are refused', () => {
    const inputs = { hidden: tf.ones([1, 2]) as tf.Tensor2D, itemTable: tf.ones([5, 2]) as tf.Tensor2D };
    expect(() => make({})({ ...inputs, targetIds: Int32Array.of(1) })).toThrow('reserved id 1');
    expect(() => make({ smoothing: 0.1 })).toThrow('smoothing');
  });
});
