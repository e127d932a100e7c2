import { packSessions } from '@nimue/batch';
import { deriveSeed } from '@nimue/ops';
import { assertClose, createRandom, randomFloats, useTestBackend } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { createSampler, type Loss, type LossInputs, type LossSpec, negativesSchema } from './index.ts';
import * as losses from './losses.ts';

const { log, exp } = Math;

beforeAll(() => useTestBackend());

function make(name: string, config: Record<string, unknown>): Loss {
  const spec = losses[name as keyof typeof losses] as LossSpec;
  return spec.create(spec.configSchema.parse(config));
}

describe('a list for the whole batch without the items of the row’s own session', () => {
  // Sessions [3, 4 → 5] and [6 → 7], and a third that shares item 4 with the first: [4 → 8].
  const sessions = packSessions([[3, 4], [6], [4]]);
  const batch = { ...sessions, targets: { positions: Int32Array.of(0, 1, 2, 3), itemIds: Int32Array.of(4, 5, 7, 8) } };
  const random = createRandom(12);
  const counts = new Int32Array(9).fill(1);
  const inputs: LossInputs = {
    hidden: tf.tensor2d(randomFloats(4, random), [4, 1]),
    itemTable: tf.tensor2d(randomFloats(9, random), [9, 1]),
    targetIds: batch.targets.itemIds,
    batch,
    seed: 3,
    itemHistory: { counts },
  };
  const score = (n: number, id: number) => inputs.hidden.dataSync()[n] * inputs.itemTable.dataSync()[id];
  const softmax = (n: number, target: number, negatives: number[]) =>
    log([target, ...negatives].reduce((sum, id) => sum + exp(score(n, id) - score(n, target)), 0));
  // Targets of the other sessions, less what the own one holds: the third session has item 4 too.
  const inBatchLoss =
    (softmax(0, 4, [7, 8]) + softmax(1, 5, [7, 8]) + softmax(2, 7, [4, 5, 8]) + softmax(3, 8, [5, 7])) / 4;

  test('in-batch negatives, by hand', () => {
    const config = { correction: 'none', excludeSession: true };
    expect(make('inBatchSoftmax', config)(inputs).dataSync()[0]).toBeCloseTo(inBatchLoss, 5);
    const negatives = { name: 'inBatch', excludeSession: true };
    expect(make('sampledSoftmax', { correction: 'none', negatives })(inputs).dataSync()[0]).toBeCloseTo(inBatchLoss, 5);
  });

  test('drawn and mixed ones: the items of the session in the list change nothing, its own target neither', () => {
    const own = [new Set([3, 4, 5]), new Set([3, 4, 5]), new Set([6, 7]), new Set([4, 8])];
    for (const negatives of [
      { name: 'uniform', count: 40 },
      { name: 'popularity', count: 40 },
      { name: 'mixed', parts: [{ name: 'uniform', count: 20 }, { name: 'inBatch' }] },
    ]) {
      const withOption = (on: boolean) =>
        negatives.parts
          ? { name: 'mixed', parts: negatives.parts.map((part) => ({ ...part, excludeSession: on })) }
          : { ...negatives, excludeSession: on };
      const drawnBy = createSampler(negativesSchema.parse(withOption(true)));
      const drawn = drawnBy({
        ...inputs,
        itemCounts: counts,
        seed: deriveSeed(3, 0x6e6567),
        numTableRows: 9,
      }).negatives;
      if (!('shared' in drawn)) throw new Error('the list is shared');
      const expected = own.map((items, n) =>
        softmax(
          n,
          batch.targets.itemIds[n],
          [...drawn.shared].filter((id) => !items.has(id)),
        ),
      );
      const loss = make('sampledSoftmax', { correction: 'none', negatives: withOption(true) });
      const mean = expected.reduce((sum, value) => sum + value, 0) / 4;
      expect(loss(inputs).dataSync()[0]).toBeCloseTo(mean, 4);
      const without = make('sampledSoftmax', { correction: 'none', negatives: withOption(false) })(
        inputs,
      ).dataSync()[0];
      expect(without).toBeGreaterThan(mean + 0.1);
    }
  });

  test('every item once: the full softmax, with excludeSession that of the items which are not the session’s', () => {
    const own = [new Set([3, 4, 5]), new Set([3, 4, 5]), new Set([6, 7]), new Set([4, 8])];
    const items = [3, 4, 5, 6, 7, 8];
    const meanOver = (candidates: (n: number) => number[]) =>
      own.reduce((sum, _, n) => sum + softmax(n, batch.targets.itemIds[n], candidates(n)), 0) / 4;
    for (const correction of ['both', 'negatives', 'none']) {
      const value = (excludeSession: boolean) =>
        make('sampledSoftmax', { correction, negatives: { name: 'all', excludeSession } })(inputs).dataSync()[0];
      expect(value(true)).toBeCloseTo(
        meanOver((n) => items.filter((id) => !own[n].has(id))),
        5,
      );
      expect(value(false)).toBeCloseTo(
        meanOver((n) => items.filter((id) => id !== batch.targets.itemIds[n])),
        5,
      );
    }
  });

  test.each([
    [1, 1],
    [3, 2],
    [17, 33],
    [64, 130],
  ])('every item once, %p rows of %p items: value and gradients of crossEntropy', (numRows, numItems) => {
    const random = createRandom(numRows);
    const V = numItems + 3;
    const targetIds = Int32Array.from({ length: numRows }, () => 3 + Math.floor(random() * numItems));
    const values = [
      tf.tensor2d(randomFloats(numRows * 5, random), [numRows, 5]),
      tf.tensor2d(randomFloats(V * 5, random), [V, 5]),
      tf.tensor1d(randomFloats(V, random)),
    ] as [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D];
    const of = (loss: Loss) =>
      tf.valueAndGrads((hidden: tf.Tensor, itemTable: tf.Tensor, itemBias: tf.Tensor) =>
        loss({
          hidden: hidden as tf.Tensor2D,
          itemTable: itemTable as tf.Tensor2D,
          itemBias: itemBias as tf.Tensor1D,
          targetIds,
          seed: 1,
        }),
      )(values);
    const sampled = of(make('sampledSoftmax', { negatives: { name: 'all' } }));
    const full = of(make('crossEntropy', {}));
    assertClose('loss', sampled.value.dataSync(), full.value.dataSync(), 1e-5);
    sampled.grads.forEach((gradient, i) => {
      assertClose(`gradient ${i}`, gradient.dataSync(), full.grads[i].dataSync(), 1e-5);
    });
  });
});
