import { NO_TARGETS, packSessions, type SessionBatch } from '@nimue/batch';
import { assertClose, createRandom, numericGradient, randomFloats, useTestBackend } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { type Loss, type LossInputs, type LossSpec, sumOf } from './index.ts';
import * as losses from './losses.ts';

const { log, exp } = Math;
const sigmoid = (x: number) => 1 / (1 + exp(-x));
const inBatch = { negatives: { name: 'inBatch' } };
/** So large a pool holds all three items: the hardest, or all, of the two that are not the target. */
const hardest = (count: number) => ({ negatives: { name: 'dynamicHard', count } });

/**
 * Loss by hand, per config. Items 3, 4, 5 have odds 1, 2, 5 in the first row, whose target is 4, and 1, 4, 25 in the second,
 * whose target is 5; they are counted 1, 2 and 1 times.
 */
const HAND: Record<keyof typeof losses, { config: Record<string, unknown>; expected: number }[]> = {
  crossEntropy: [
    { config: {}, expected: (log(8 / 2) + log(30 / 25)) / 2 },
    {
      config: { temperature: 2 },
      expected: (log((1 + Math.SQRT2 + Math.sqrt(5)) / Math.SQRT2) + log(8 / 5)) / 2,
    },
    // −(.7 ln p(target) + .1 Σ ln p)
    {
      config: { labelSmoothing: 0.3 },
      expected: -(0.7 * log(2 / 8) + 0.1 * log(10 / 512) + 0.7 * log(25 / 30) + 0.1 * log(100 / 27000)) / 2,
    },
  ],
  inBatchSoftmax: [
    { config: { correction: 'none' }, expected: (log(7 / 2) + log(29 / 25)) / 2 },
    // one negative, expected 1/2 (item 4) and 1/4 (item 5) times: odds 2, 5, 4, 25 become 4, 20, 8, 100
    { config: {}, expected: (log(24 / 4) + log(108 / 100)) / 2 },
    { config: { correction: 'negatives' }, expected: (log(22 / 2) + log(33 / 25)) / 2 },
    {
      config: { correction: 'none', temperature: 2 },
      expected: (log(1 + Math.sqrt(5 / 2)) + log(1 + 2 / 5)) / 2,
    },
  ],
  sampledSoftmax: [
    { config: { ...hardest(2), correction: 'none' }, expected: (log(8 / 2) + log(30 / 25)) / 2 },
    { config: { ...hardest(1), correction: 'none' }, expected: (log(7 / 2) + log(29 / 25)) / 2 },
    { config: inBatch, expected: (log(24 / 4) + log(108 / 100)) / 2 },
  ],
  bce: [
    { config: inBatch, expected: (log(3 / 2) + log(6) + log(26 / 25) + log(5)) / 2 },
    { config: hardest(2), expected: (log(3 / 2) + log(6) + log(2) + log(26 / 25) + log(5) + log(2)) / 2 },
  ],
  gbce: [
    // one of two possible negatives: β = 1 − ¾ · ½
    { config: hardest(1), expected: (0.625 * log(3 / 2) + log(6) + 0.625 * log(26 / 25) + log(5)) / 2 },
    { config: { ...hardest(1), calibration: 0 }, expected: (log(3 / 2) + log(6) + log(26 / 25) + log(5)) / 2 },
  ],
  bpr: [
    { config: inBatch, expected: (log(7 / 2) + log(29 / 25)) / 2 },
    { config: hardest(2), expected: (log(7 / 2) + log(3 / 2) + log(29 / 25) + log(26 / 25)) / 4 },
    // tanh ln x = (x² − 1) / (x² + 1)
    {
      config: { ...inBatch, tanh: true },
      expected: (log(1 + exp(12 / 13 - 3 / 5)) + log(1 + exp(15 / 17 - 312 / 313))) / 2,
    },
  ],
  bprMax: [
    {
      config: { ...inBatch, bpreg: 0.5 },
      expected: (log(7 / 2) + 0.5 * log(5) ** 2 + log(29 / 25) + 0.5 * log(4) ** 2) / 2,
    },
    // weights 1/6 and 5/6, then 1/5 and 4/5
    {
      config: { ...inBatch, bpreg: 0.5, tanh: true },
      expected:
        (log(1 + exp(12 / 13 - 3 / 5)) +
          0.5 * (12 / 13) ** 2 +
          log(1 + exp(15 / 17 - 312 / 313)) +
          0.5 * (15 / 17) ** 2) /
        2,
    },
    {
      config: { ...hardest(2), bpreg: 0, elu: 0.5 },
      expected: -(log((1 / 6) * (2 / 3) + (5 / 6) * (2 / 7)) + log((1 / 5) * (25 / 26) + (4 / 5) * (25 / 29))) / 2,
    },
  ],
  top1: [
    { config: inBatch, expected: (5 / 7 + sigmoid(log(5) ** 2) + 4 / 29 + sigmoid(log(4) ** 2)) / 2 },
    {
      config: hardest(2),
      expected: (5 / 7 + sigmoid(log(5) ** 2) + 1 / 3 + 0.5 + 4 / 29 + sigmoid(log(4) ** 2) + 1 / 26 + 0.5) / 4,
    },
  ],
  top1Max: [
    { config: inBatch, expected: (5 / 7 + sigmoid(log(5) ** 2) + 4 / 29 + sigmoid(log(4) ** 2)) / 2 },
    {
      config: hardest(2),
      expected:
        ((5 * (5 / 7 + sigmoid(log(5) ** 2)) + (1 / 3 + 0.5)) / 6 +
          (4 * (4 / 29 + sigmoid(log(4) ** 2)) + (1 / 26 + 0.5)) / 5) /
        2,
    },
  ],
  // logits 1 and 2, labels 1 and 0: −ln σ(1) and −ln(1 − σ(2))
  binary: [{ config: { column: 'bought' }, expected: (log(1 + exp(-1)) + log(1 + exp(2))) / 2 }],
  // outputs 1 and 2, labels 3 and −1
  regression: [
    { config: { column: 'price' }, expected: (4 + 9) / 2 },
    { config: { column: 'euro', as: 'price' }, expected: (4 + 9) / 2 },
  ],
  weightedSum: [
    {
      config: {
        parts: [
          { name: 'crossEntropy' },
          { name: 'binary', column: 'bought', weight: 3 },
          { name: 'regression', column: 'price', weight: 0.1 },
        ],
      },
      expected: (log(8 / 2) + log(30 / 25) + 3 * (log(1 + exp(-1)) + log(1 + exp(2))) + 0.1 * (4 + 9)) / 2,
    },
    {
      config: {
        parts: [
          { name: 'crossEntropy', weight: 0.5 },
          { name: 'bpr', ...inBatch },
        ],
      },
      expected: (0.5 * (log(8 / 2) + log(30 / 25)) + log(7 / 2) + log(29 / 25)) / 2,
    },
  ],
};

function handInputs(): LossInputs {
  return {
    hidden: tf.tensor2d([1, 2], [2, 1]),
    itemTable: tf.tensor2d([9, 9, 9, 0, log(2), log(5)], [6, 1]),
    targetIds: Int32Array.of(4, 5),
    seed: 1,
    itemHistory: { counts: Int32Array.of(7, 7, 7, 1, 2, 1) },
    batch: labelledBatch({ bought: [1, 0], price: [3, -1] }),
    headOutput: firstUnit,
  };
}

/** Every head says the first number of the hidden state. */
const firstUnit = (_head: string, hidden: tf.Tensor2D) =>
  tf.reshape(tf.slice(hidden, [0, 0], [-1, 1]), [-1]) as tf.Tensor1D;

function labelledBatch(labels: Record<string, number[]>): SessionBatch {
  const columns = Object.entries(labels).map(([name, values]) => [name, Float32Array.from(values)] as const);
  return { ...packSessions([]), targets: { ...NO_TARGETS, labels: Object.fromEntries(columns) } };
}

beforeAll(() => useTestBackend());

test('every loss of the list has hand values', () => {
  expect(Object.keys(HAND).sort()).toEqual(Object.keys(losses).sort());
});

function make(name: string, config: Record<string, unknown>): Loss {
  const spec = losses[name as keyof typeof losses] as LossSpec;
  return spec.create(spec.configSchema.parse(config));
}

describe.each(Object.entries(HAND))('%s', (name, rows) => {
  const labelled = rows.map((row) => [JSON.stringify(row.config), row] as const);

  test.each(labelled)('hand value %s', (_label, row) => {
    expect(make(name, row.config)(handInputs()).dataSync()[0]).toBeCloseTo(row.expected, 5);
  });

  test.each(labelled)('numeric gradient %s', (_label, row) => {
    const random = createRandom(1);
    const arrays = [3 * 4, 8 * 4, 8].map((n) => randomFloats(n, random));
    const tensors = () => [tf.tensor2d(arrays[0], [3, 4]), tf.tensor2d(arrays[1], [8, 4]), tf.tensor1d(arrays[2])];
    const loss = make(name, row.config);
    // Heads do not look at the items, and a gradient wants to depend on every input.
    const nothing = (...unused: tf.Tensor[]) => unused.map((x) => tf.mul(0, tf.sum(x)));
    const f = (hidden: tf.Tensor, itemTable: tf.Tensor, itemBias: tf.Tensor) => {
      const value = loss({
        hidden: hidden as tf.Tensor2D,
        itemTable: itemTable as tf.Tensor2D,
        itemBias: itemBias as tf.Tensor1D,
        targetIds: Int32Array.of(3, 7, 3),
        seed: 5,
        itemHistory: { counts: Int32Array.of(0, 0, 0, 4, 1, 1, 2, 9) },
        batch: labelledBatch({ bought: [1, 0, Number.NaN], price: [0.5, Number.NaN, -2] }),
        headOutput: firstUnit,
      });
      return tf.addN([value, ...nothing(itemTable, itemBias)]);
    };
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
    const value = make(
      name,
      rows[0].config,
    )({ ...handInputs(), hidden: tf.zeros([0, 1]), targetIds: new Int32Array(0) });
    expect(value.dataSync()[0]).toBe(0);
  });

  test('leaves no tensor but its value', () => {
    const inputs = handInputs();
    const before = tf.memory().numTensors;
    tf.tidy(() => make(name, rows[0].config)(inputs)).dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('a reserved id is no target; unknown keys are refused', () => {
    if ((losses[name as keyof typeof losses] as LossSpec).ranksItems !== false) {
      expect(() => make(name, rows[0].config)({ ...handInputs(), targetIds: Int32Array.of(4, 1) })).toThrow(
        'reserved id 1',
      );
    }
    expect(() => make(name, { ...rows[0].config, smoothing: 0.1 })).toThrow('smoothing');
  });
});

const sampling = Object.keys(HAND).filter(
  (name) => !['crossEntropy', 'inBatchSoftmax', 'binary', 'regression', 'weightedSum'].includes(name),
);

test.each(sampling)('%s with its own defaults: one seed one loss, and it needs a seed', (name) => {
  const random = createRandom(3);
  const inputs = {
    hidden: tf.tensor2d(randomFloats(5 * 3, random), [5, 3]),
    itemTable: tf.tensor2d(randomFloats(60 * 3, random), [60, 3]),
    targetIds: Int32Array.of(3, 40, 59, 3, 8),
    itemHistory: { counts: new Int32Array(60).map((_, i) => 1 + (i % 7)) },
  };
  const value = (seed?: number) => make(name, {})({ ...inputs, seed }).dataSync()[0];
  expect(value(4)).toBe(value(4));
  expect(value(4)).not.toBe(value(5));
  expect(() => value()).toThrow('the seed is missing; a loss that draws negatives needs one per step');
});

test.each([
  ['uniform', { name: 'uniform', count: 4096 }],
  ['popularity', { name: 'popularity', count: 4096 }],
  [
    'mixed',
    {
      name: 'mixed',
      parts: [
        { name: 'uniform', count: 3000 },
        { name: 'popularity', count: 3000 },
      ],
    },
  ],
  ['own', { name: 'popularity', count: 4096, per: 'position' }],
])('sampled softmax on many %s negatives, these corrected, comes close to the full one', (_name, negatives) => {
  const random = createRandom(8);
  const inputs = {
    hidden: tf.tensor2d(randomFloats(30 * 4, random), [30, 4]),
    itemTable: tf.tensor2d(randomFloats(200 * 4, random, 2), [200, 4]),
    targetIds: Int32Array.from({ length: 30 }, () => 3 + Math.floor(197 * random() ** 3)),
    itemHistory: { counts: new Int32Array(200).map((_, i) => Math.ceil(1000 / (1 + i))) },
    seed: 2,
  };
  const full = make('crossEntropy', {})(inputs).dataSync()[0];
  const sampled = (correction: string) => make('sampledSoftmax', { negatives, correction })(inputs).dataSync()[0];
  expect(Math.abs(sampled('negatives') - full)).toBeLessThan(0.02);
  expect(Math.abs(sampled('none') - full)).toBeGreaterThan(2);
});

test('refusals: unknown probabilities, uncounted targets, session items without a batch', () => {
  const sampledSoftmax = (config: Record<string, unknown>) => make('sampledSoftmax', config);
  for (const name of ['bpr', 'bprMax', 'top1', 'top1Max'] as const) {
    const both = () => make(name, { ...inBatch, elu: 0.5, tanh: true });
    expect(both).toThrow('scores pass through tanh or elu, not both; remove elu: 0.5 or tanh');
  }
  expect(() => sampledSoftmax(hardest(2))).toThrow("dynamicHard has no known probabilities; expected 'none'");
  const unlike = { name: 'mixed', parts: [{ name: 'uniform', excludeSession: true }, { name: 'inBatch' }] };
  expect(() => sampledSoftmax({ negatives: unlike })).toThrow('excludeSession in each of them or in none');
  expect(() => sampledSoftmax({ negatives: { name: 'uniform', count: 4097 } })).toThrow('<=4096');
  expect(() => sampledSoftmax({ negatives: { name: 'hardest' } })).toThrow();
  const { itemHistory: _, ...withoutCounts } = handInputs();
  expect(() => sampledSoftmax({})(withoutCounts)).toThrow("negatives 'popularity': itemCounts is missing");
  const uncounted = { ...handInputs(), itemHistory: { counts: Int32Array.of(0, 0, 0, 3, 0, 1) } };
  expect(() => sampledSoftmax({})(uncounted)).toThrow('target item 4 of row 0 has no count');
  expect(() => sampledSoftmax({})({ ...handInputs(), itemHistory: { counts: Int32Array.of(0, 0, 0, 3) } })).toThrow(
    'itemCounts has 4 entries, expected one for each of 6 table rows',
  );
  const own = { negatives: { name: 'uniform', per: 'position', excludeSession: true } };
  expect(() => make('bce', own)({ ...handInputs(), batch: undefined })).toThrow('excludeSession needs the batch');
  const twice = { parts: [{ name: 'weightedSum', parts: [] }] };
  expect(() => make('weightedSum', twice)).toThrow();
  expect(() => make('weightedSum', { parts: [{ name: 'bpr', weight: 0 }] })).toThrow();
  expect(() => make('weightedSum', { parts: [{ name: 'sampledSoftmax', ...hardest(2) }] })).toThrow(
    'dynamicHard has no',
  );
});

test('sumOf draws anew for every part', () => {
  const loss = make('bce', { negatives: { name: 'uniform', count: 3 } });
  const inputs = {
    ...handInputs(),
    itemTable: tf.tensor2d(randomFloats(100, createRandom(1)), [100, 1]),
  };
  const sum = sumOf([
    { weight: 1, loss },
    { weight: 1, loss },
  ])(inputs).dataSync()[0];
  const once = sumOf([{ weight: 1, loss }])(inputs).dataSync()[0];
  expect(Math.abs(sum - 2 * once)).toBeGreaterThan(1e-3);
});
