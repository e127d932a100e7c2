import { assertClose, createRandom, randomFloats, useTestBackend } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { crossEntropy } from './cross-entropy.ts';
import type { LossInputs } from './loss-spec.ts';
import { recentItems } from './recent-items.ts';

beforeAll(() => useTestBackend());

const lossOf = (config: object) => crossEntropy.create(crossEntropy.configSchema.parse(config));

/** Value and gradients of hidden states, item table and bias. */
function withGradients(config: object, { hidden, itemTable, itemBias, ...rest }: LossInputs) {
  const loss = lossOf(config);
  const { value, grads } = tf.valueAndGrads((...[h, table, bias]: tf.Tensor[]) =>
    loss({ ...rest, hidden: h as tf.Tensor2D, itemTable: table as tf.Tensor2D, itemBias: bias as tf.Tensor1D }),
  )([hidden, itemTable, itemBias as tf.Tensor1D]);
  return { value: value.dataSync()[0], gradients: grads.map((gradient) => Array.from(gradient.dataSync())) };
}

function randomInputs(numItems: number, numTargets: number, seed: number): LossInputs {
  const random = createRandom(seed);
  const width = 5;
  const rows = 3 + numItems;
  const table = (n: number) => tf.tensor2d(randomFloats(n * width, random), [n, width]);
  const itemAges = Int32Array.from({ length: rows }, () => Math.floor(random() * 6));
  const recent = [...itemAges.keys()].filter((id) => id >= 3 && itemAges[id] < 3);
  // At least one item is recent.
  if (recent.length === 0) recent.push(3 + itemAges.subarray(3).fill(0, 0, 1).indexOf(0));
  return {
    hidden: table(numTargets),
    itemTable: table(rows),
    itemBias: tf.tensor1d(randomFloats(rows, random)),
    targetIds: Int32Array.from({ length: numTargets }, () => recent[Math.floor(random() * recent.length)]),
    seed,
    itemHistory: { ages: itemAges },
  };
}

describe.each([
  [1, 1],
  [2, 3],
  [17, 8],
  [40, 31],
])('%p items, %p targets', (numItems, numTargets) => {
  const inputsOf = () => randomInputs(numItems, numTargets, 7 * numItems + numTargets);

  test.each([0, 0.4])('all windows, or all others: the softmax over the catalogue (smoothing %p)', (labelSmoothing) => {
    const inputs = inputsOf();
    const full = withGradients({ labelSmoothing }, inputs);
    for (const among of [
      { recentWindows: 6, others: 0 },
      { recentWindows: 3, others: 1000 },
    ]) {
      const part = withGradients({ labelSmoothing, among }, inputs);
      expect(part.value).toBeCloseTo(full.value, 5);
      for (const [i, gradient] of part.gradients.entries())
        assertClose(`gradient ${i}`, gradient, full.gradients[i], 1e-5);
    }
  });

  test('without others: the softmax over the recent items, of which alone anything is learned', () => {
    const inputs = inputsOf();
    const ages = inputs.itemHistory?.ages as Int32Array;
    const { value, gradients } = withGradients({ among: { recentWindows: 3, others: 0 }, labelSmoothing: 0.3 }, inputs);
    const [hidden, table, bias] = [inputs.hidden, inputs.itemTable, inputs.itemBias as tf.Tensor1D].map((tensor) =>
      tensor.dataSync(),
    );
    const recent = [...ages.keys()].filter((id) => id >= 3 && ages[id] < 3);
    const logit = (n: number, id: number) => {
      let sum = bias[id];
      for (let d = 0; d < 5; d++) sum += hidden[5 * n + d] * table[5 * id + d];
      return sum;
    };
    let expected = 0;
    const biasGradient = new Array<number>(bias.length).fill(0);
    inputs.targetIds.forEach((target, n) => {
      const logits = recent.map((id) => logit(n, id));
      const logSum = Math.log(logits.reduce((sum, z) => sum + Math.exp(z), 0));
      recent.forEach((id, i) => {
        const wanted = 0.3 / recent.length + (id === target ? 0.7 : 0);
        expected -= (wanted * (logits[i] - logSum)) / numTargets;
        biasGradient[id] += (Math.exp(logits[i] - logSum) - wanted) / numTargets;
      });
    });
    expect(value).toBeCloseTo(expected, 4);
    assertClose('bias', gradients[2], biasGradient, 1e-5);
    gradients[1].forEach((slope, i) => {
      if (!recent.includes(Math.floor(i / 5))) expect(slope).toBe(0);
    });
  });
});

test('the others are drawn by the seed, none twice, and none of them is recent', () => {
  const itemAges = Int32Array.from({ length: 103 }, (_, id) => (id < 53 ? id % 2 : 9));
  const request = { itemAges, numTableRows: 103, targetIds: Int32Array.of(4, 6) };
  const config = { recentWindows: 1, others: 20 };
  const drawn = recentItems({ ...request, seed: 5 }, config);
  const { rows, targets } = drawn;
  const recent = [...itemAges.keys()].filter((id) => id >= 3 && itemAges[id] === 0);
  expect(rows).toHaveLength(3 + recent.length + 20);
  expect([...rows]).toEqual([...new Set(rows)].sort((a, b) => a - b));
  expect(recent.every((id) => rows.includes(id))).toBe(true);
  expect([...targets].map((place) => rows[place])).toEqual([4, 6]);
  expect(recentItems({ ...request, seed: 5 }, config)).toEqual(drawn);
  expect(recentItems({ ...request, seed: 6 }, config)).not.toEqual(drawn);
  // Every one of the 75 others comes in its turn: 20 of 75 in each of 200 draws.
  const times = new Array<number>(103).fill(0);
  for (let seed = 0; seed < 200; seed++) for (const id of recentItems({ ...request, seed }, config).rows) times[id]++;
  for (let id = 3; id < 103; id++) {
    if (recent.includes(id)) expect(times[id]).toBe(200);
    // 200 · 20 / 75 = 53, standard deviation 6.3
    else expect(Math.abs(times[id] - 53.3)).toBeLessThan(27);
  }
});

test('a target that is not recent takes part, and is not drawn again', () => {
  const itemAges = Int32Array.of(9, 9, 9, 0, 8, 8, 8);
  const request = { itemAges, numTableRows: 7, seed: 1, targetIds: Int32Array.of(5, 3) };
  const { rows, targets } = recentItems(request, { recentWindows: 1, others: 0 });
  expect([...rows]).toEqual([0, 1, 2, 3, 5]);
  expect([...targets]).toEqual([4, 3]);
  expect([...recentItems(request, { recentWindows: 1, others: 2 }).rows]).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

test('what is missing or does not fit is said', () => {
  const inputs = randomInputs(4, 2, 3);
  const loss = lossOf({ among: { recentWindows: 3 } });
  expect(() => loss({ ...inputs, itemHistory: undefined })).toThrow(
    /`among` needs itemHistory\.ages.* each of 7 items.*got nothing/,
  );
  expect(() => loss({ ...inputs, itemHistory: { ages: new Int32Array(5) } })).toThrow(/got 5 entries/);
  expect(() => loss({ ...inputs, seed: undefined })).toThrow(/seed is missing/);
});
