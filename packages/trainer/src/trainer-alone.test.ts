import { losses } from '@nimue/losses';
import { type ModelSize, models } from '@nimue/models';
import * as tf from '@tensorflow/tfjs';
import { Trainer } from './index.ts';

const gru = (size: ModelSize) => models.gru4rec.create(models.gru4rec.configSchema.parse({ hiddenSize: 12 }), size);
const walk = (first: number) => ({ items: [0, 1, 2].map((i) => (first + i) % 8) });
const walks = [0, 1, 2, 3, 4, 5, 6, 7].map(walk);
const training = { epochs: 60, batchSize: 4, learningRate: 0.02 };

beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
});

test('learns plain sessions, and goes on with new ones: new items get rows, the old are not lost', async () => {
  const before = tf.memory().numTensors;
  const steps: number[] = [];
  const trainer = new Trainer({ model: gru, training, onStep: ({ step }) => void steps.push(step) });
  expect(() => trainer.recommend([1], 1)).toThrow('nothing has been learned yet; call fit first');
  const loss = await trainer.fit(walks);
  expect(loss).toBeLessThan(0.5);
  expect(steps).toHaveLength(60 * 2);
  expect(trainer.numItems).toBe(8);
  const { metrics, numUnknownTargets } = await trainer.evaluate([...walks, { items: [1, 'never'] }], {
    metrics: ['hr@1'],
  });
  expect(metrics['hr@1']).toBeCloseTo(8 / 9, 12);
  expect(numUnknownTargets).toBe(1);
  expect(trainer.recommend([3, 4], 1)).toEqual(['5']);
  await trainer.fit([...walks, { items: [3, 4, 'new'] }, { items: [4, 'new'] }, { items: [3, 4, 'new'] }]);
  expect(trainer.numItems).toBe(9);
  expect(trainer.recommend([3, 4], 2)).toContain('new');
  expect(trainer.recommend([6, 7], 1)).toEqual(['0']);
  expect(trainer.recommend([], 99)).toHaveLength(9);
  expect(trainer.recommend(['never'], 99)).toEqual(trainer.recommend([], 99));
  trainer.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

test('the same seed gives the same model; averaged weights and other losses go with it', async () => {
  const scores = async (seed: number) => {
    const loss = losses.bprMax.create(losses.bprMax.configSchema.parse({}));
    const trainer = new Trainer({ model: gru, loss, training: { ...training, epochs: 3, averageDecay: 0.5 }, seed });
    const value = await trainer.fit(walks);
    const lists = walks.map(({ items }) => trainer.recommend(items, 8));
    trainer.dispose();
    return { value, lists };
  };
  expect(await scores(2)).toEqual(await scores(2));
  expect((await scores(3)).value).not.toBe((await scores(2)).value);
});

test('a loss among recent items leaves the vectors of the others as they are', async () => {
  const among = { recentWindows: 1, others: 0 };
  const loss = losses.crossEntropy.create(losses.crossEntropy.configSchema.parse({ among }));
  let model: ReturnType<typeof gru> | undefined;
  const create = (size: ModelSize) => {
    model = gru(size);
    return model;
  };
  const settings = { ...training, epochs: 2, optimizer: 'sgd' as const };
  const trainer = new Trainer({ model: create, loss, training: settings });
  const vectors = () => {
    if (model?.kind !== 'neural') throw new Error('expected a neural model');
    const items = model.parameters.read().get('items') as Float32Array;
    return Array.from({ length: items.length / 12 }, (_, id) => [...items.subarray(12 * id, 12 * (id + 1))]);
  };
  await trainer.fit(walks);
  const before = vectors();
  await trainer.fit([{ items: [0, 1, 2] }, { items: [1, 2, 0] }]);
  const after = vectors();
  const moved = after.flatMap((vector, id) => (vector.every((x, d) => x === before[id][d]) ? [] : [id]));
  // Ids 3, 4 and 5 are the items 0, 1 and 2.
  expect(moved).toEqual([3, 4, 5]);
  trainer.dispose();
});

test('what it cannot do is said', async () => {
  expect(() => new Trainer({ model: gru, training: { keepBest: ['hr@1'] } })).toThrow('use fitAndEvaluate');
  const trainer = new Trainer({ model: gru, training });
  await expect(trainer.fit([{ items: [] }])).rejects.toThrow('Trainer.fit: session 0 is empty');
  await expect(trainer.fit([{ items: [1, 2], timestampsMs: [1, 2] }, { items: [1, 2] }])).rejects.toThrow(
    'session 1 has 2 items but no timestamps',
  );
  trainer.dispose();
});
