import {
  datasetFromSessions,
  ItemVocabulary,
  objectives,
  type PlainSession,
  packBatches,
  type WindowedDataset,
} from '@nimue/data';
import { losses } from '@nimue/losses';
import { models, type NeuralModel } from '@nimue/models';
import { assertClose, useTestBackend } from '@nimue/testing';
import { Optimizer } from './optimizer.ts';
import * as optimizers from './optimizers.ts';
import { readTrainSessions } from './train-sessions.ts';
import { trainStep, weightOfTargets } from './train-step.ts';
import { trainedModelOf } from './trained-model.ts';
import { trainingSchema } from './training-schema.ts';

beforeAll(() => useTestBackend());

const DAY = Date.UTC(2024, 0, 1);
const sessions: PlainSession[] = [
  ['a', 'b', 'c'],
  ['b', 'c', 'd', 'a'],
  ['d', 'a'],
].map((items, s) => ({ items, timestampsMs: items.map((_, i) => DAY + 60_000 * s + i) }));

/** The data set as it is prepared with weights: an event counts as much as its item's place in the alphabet. */
function weighed(): WindowedDataset {
  const dataset = datasetFromSessions(sessions, { split: { validShare: 0 } });
  const weightOf = (code: number) => 'abcd'.indexOf(dataset.rawItemId(code)) + 1;
  return {
    ...dataset,
    async read(window, split) {
      const part = await dataset.read(window, split);
      return { ...part, columns: { 'weight:type': Float64Array.from(part.itemCodes, weightOf) } };
    },
  };
}

test.each([1_000, 1])(
  'targets and counts carry the weights, at most %d events in memory',
  async (maxEventsInMemory) => {
    const dataset = weighed();
    const vocabulary = new ItemVocabulary();
    const train = await readTrainSessions(dataset, [0], vocabulary, maxEventsInMemory);
    try {
      const weightOf = (id: number) => 'abcd'.indexOf(dataset.rawItemId(vocabulary.codeOf(id))) + 1;
      const objective = objectives.causal.create({});
      const batches = [...packBatches(train.sessions, { batchSize: 2, seed: 1, objective })];
      expect(batches).toHaveLength(2);
      for (const { features, targets } of batches) {
        expect([...(targets.weights ?? [])]).toEqual(Array.from(targets.itemIds, weightOf));
        expect(features).toBeUndefined();
      }
      for await (const { itemIds, eventWeights, features } of train.encodedWindows()) {
        expect([...(eventWeights ?? [])]).toEqual(Array.from(itemIds, weightOf));
        expect(features).toBeUndefined();
      }
    } finally {
      train.dispose();
    }
  },
);

test('what is saved of a model that counts has the weights, too', async () => {
  const dataset = weighed();
  const vocabulary = new ItemVocabulary();
  vocabulary.grow(await dataset.read(0, 'train'));
  const spec = models.popularity;
  const parts = {
    label: 'popularity',
    seed: 1,
    model: spec.create(spec.configSchema.parse({}), { numRows: vocabulary.size, seed: 1 }),
    objective: objectives.causal.create({}),
    vocabulary,
  };
  const windows: number[][] = [];
  for await (const { eventWeights } of trainedModelOf(parts, dataset, [0]).countedWindows()) {
    windows.push([...(eventWeights ?? [])]);
  }
  expect(windows).toEqual([[1, 2, 3, 2, 3, 4, 1, 4, 1]]);
});

test('accumulated batches count by the weights of their targets: one step is that of all of them in one batch', async () => {
  const train = await readTrainSessions(weighed(), [0], new ItemVocabulary(), 1_000);
  const objective = objectives.causal.create({});
  const loss = losses.crossEntropy.create(losses.crossEntropy.configSchema.parse({}));
  const after = (batchSize: number) => {
    const spec = models.gru4rec;
    const config = spec.configSchema.parse({ hiddenSize: 4, inputDropout: 0, hiddenDropout: 0 });
    const model = spec.create(config, { numRows: 7, seed: 3 }) as NeuralModel;
    const [first, ...further] = [...packBatches(train.sessions, { batchSize, objective })];
    const training = trainingSchema.parse({ optimizer: 'sgd' });
    const optimizer = new Optimizer(optimizers.sgd(training), training.weightDecayOn);
    const value = trainStep({
      model,
      loss,
      optimizer,
      batch: first,
      further: further.map((batch) => ({ batch, seed: 1 })),
      seed: 1,
      learningRate: 0.5,
    });
    const weights = [...model.parameters.read().values()].flatMap((values) => [...values]);
    const counted = [first, ...further].reduce((sum, batch) => sum + weightOfTargets(batch), 0);
    model.dispose();
    optimizer.dispose();
    return { value, weights, counted };
  };
  const [whole, parts] = [after(3), after(1)];
  // The targets b, c; c, d, a; a.
  expect(whole.counted).toBe(2 + 3 + 3 + 4 + 1 + 1);
  expect(parts.counted).toBe(whole.counted);
  expect(parts.value).toBeCloseTo(whole.value, 5);
  assertClose('weights', parts.weights, whole.weights, 1e-5);
});
