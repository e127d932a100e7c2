import type { SessionBatch } from '@nimue/batch';
import { datasetFromSessions, featuresSchema, ItemVocabulary, planRollingEvaluation } from '@nimue/data';
import { losses } from '@nimue/losses';
import { type EncodeMode, models, type NeuralModel } from '@nimue/models';
import { useTestBackend } from '@nimue/testing';
import { type Contender, evaluationSchema, runContender, type TrainerEvent, trainingSchema } from './index.ts';

const START = Date.UTC(2024, 0, 1);
/** Sessions of 2 to 6 items of 12, over three days. */
const dataset = datasetFromSessions(
  Array.from({ length: 90 }, (_, s) => {
    const items = Array.from({ length: 2 + (s % 5) }, (_, i) => `i${(s + i * i) % 12}`);
    const ms = START + (s % 3) * 86_400_000 + s * 1000;
    return {
      id: `s${s}`,
      items,
      timestampsMs: items.map((_, i) => ms + i),
      columns: { price: items.map((item) => (item === 'i3' ? null : Number(item.slice(1)))), kind: items },
    };
  }),
  { windows: { span: 'day' } },
);

beforeAll(() => useTestBackend());

async function run(name: 'gru4rec' | 'popularity', training: Record<string, unknown>) {
  const spec = models[name];
  const config = spec.configSchema.parse(name === 'gru4rec' ? { hiddenSize: 6 } : {}) as never;
  const contender: Contender = {
    label: name,
    create: (size) => spec.create(config, size),
    loss: losses.crossEntropy.create(losses.crossEntropy.configSchema.parse({})),
    training: trainingSchema.parse({ epochs: 2, batchSize: 8, learningRate: 0.02, ...training }),
  };
  const events: TrainerEvent[] = [];
  const results = await runContender(contender, {
    dataset,
    plan: planRollingEvaluation(dataset.windows, { policy: 'expanding' }),
    evaluation: evaluationSchema.parse({ metrics: ['hr@3'] }),
    seed: 1,
    onEvent: (event) => void events.push(event),
  });
  const steps = events.filter((event) => event.type === 'stepDone');
  return {
    steps,
    numStepsSaid: events.flatMap((event) => (event.type === 'windowStarted' ? [event.numSteps] : [])),
    outcomes: results.map(({ metrics, loss, numTrainEvents, numItems }) => ({
      metrics,
      loss,
      numTrainEvents,
      numItems,
    })),
    losses: steps.map((step) => step.loss),
  };
}

test.each(['gru4rec', 'popularity'] as const)('%s learns the same from a file as from memory', async (name) => {
  const [inMemory, spilled] = [await run(name, {}), await run(name, { maxEventsInMemory: 0 })];
  expect(spilled.outcomes).toEqual(inMemory.outcomes);
  expect(spilled.losses).toEqual(inMemory.losses);
  expect(inMemory.outcomes.map(({ numTrainEvents }) => numTrainEvents)).toEqual([120, 240]);
});

test('a token budget and buckets: the steps are as many as announced, and none has more events than allowed', async () => {
  const { steps, numStepsSaid } = await run('gru4rec', { maxBatchEvents: 15, bucketBatches: 4, maxLength: 4 });
  expect(Math.max(...steps.map(({ numEvents }) => numEvents))).toBeLessThanOrEqual(15);
  expect(numStepsSaid[0] + numStepsSaid[1]).toBe(steps.length);
  // By hand, twice over 6 sessions each of 2, 3 and 4 events and 12 of 5, sorted: 2 2 2 2 2 2 3, 5 × 3, 3 × 4, 3 × 4 and
  // 4 times 3 × 5 are 8 batches of at most 15.
  expect(numStepsSaid[0]).toBe(2 * 8);
});

test.each([{}, { maxEventsInMemory: 0 }])(
  'features reach the model in every batch, fitted on train windows only: %j',
  async (training) => {
    const spec = models.gru4rec;
    const batches: { readonly kind: 'train' | 'evaluate'; readonly batch: SessionBatch }[] = [];
    const contender: Contender = {
      label: 'watched',
      create(size) {
        const model = spec.create(spec.configSchema.parse({ hiddenSize: 4 }), size) as NeuralModel;
        return Object.create(model, {
          encodeTargets: {
            value: (batch: SessionBatch, mode: EncodeMode) => {
              batches.push({ kind: mode.training ? 'train' : 'evaluate', batch });
              return model.encodeTargets?.(batch, mode);
            },
          },
          rankTargets: {
            value: (batch: SessionBatch) => {
              batches.push({ kind: 'evaluate', batch });
              return model.rankTargets(batch);
            },
          },
        }) as NeuralModel;
      },
      loss: losses.crossEntropy.create(losses.crossEntropy.configSchema.parse({})),
      training: trainingSchema.parse({ epochs: 1, batchSize: 8, ...training }),
    };
    await runContender(contender, {
      dataset,
      plan: planRollingEvaluation(dataset.windows, { policy: 'frozen', size: 2 }),
      evaluation: evaluationSchema.parse({ metrics: ['hr@3'] }),
      features: featuresSchema.parse([
        { name: 'minMax', column: 'price' },
        { name: 'categorify', column: 'kind' },
        { name: 'popularitySoFar', log: false },
      ]),
      seed: 1,
    });
    expect(new Set(batches.map(({ kind }) => kind))).toEqual(new Set(['train', 'evaluate']));
    // Every item has one price and one kind: its features follow from it. Prices of the train windows run from 0 to 11.
    const vocabulary = new ItemVocabulary();
    const [first, second] = [await dataset.read(0, 'train'), await dataset.read(1, 'train')];
    for (const window of [first, second]) vocabulary.grow(window);
    const clicks = [...first.itemCodes, ...second.itemCodes];
    for (const { kind, batch } of batches) {
      const { scaled_price: price, kind: kinds, popularity } = batch.features ?? {};
      for (const [i, id] of batch.itemIds.entries()) {
        const code = vocabulary.codeOf(id);
        const number = Number(dataset.rawItemId(code).slice(1));
        if (number !== 3) expect(price[i]).toBeCloseTo(number / 11, 6);
        expect(kinds[i]).toBe(kinds[batch.itemIds.indexOf(id)]);
        const total = clicks.filter((other) => other === code).length;
        if (kind === 'evaluate') expect(popularity[i]).toBe(total);
        else expect(popularity[i]).toBeLessThan(total);
      }
    }
  },
);

test('a model that reads features goes from window to window: categories and described items grow, new items start from features', async () => {
  const spec = models.gru4rec;
  const columns: unknown[] = [];
  let model: NeuralModel | undefined;
  const contender: Contender = {
    label: 'described',
    create(size) {
      columns.push(size.features);
      const inputs = { features: [{ kind: 'category', column: 'item', role: 'item' }] };
      model = spec.create(spec.configSchema.parse({ hiddenSize: 4, inputs }), size) as NeuralModel;
      return model;
    },
    loss: losses.crossEntropy.create({ temperature: 1, labelSmoothing: 0 }),
    training: trainingSchema.parse({ epochs: 1, batchSize: 16, newItems: 'features' }),
  };
  // On every day the items of that day alone, each a category of its own.
  const growing = datasetFromSessions(
    Array.from({ length: 60 }, (_, s) => {
      const day = Math.floor(s / 20);
      const items = [0, 1, 2].map((i) => `day${day}-${(s + i) % 4}`);
      return {
        items,
        timestampsMs: items.map((_item, i) => START + day * 86_400_000 + 60_000 * (s + i)),
        columns: { item: items },
      };
    }),
  );
  const sizes: number[] = [];
  await runContender(contender, {
    dataset: growing,
    plan: planRollingEvaluation(growing.windows, { policy: 'incremental' }),
    evaluation: evaluationSchema.parse({ metrics: ['hr@3'] }),
    features: featuresSchema.parse([{ name: 'categorify', column: 'item' }]),
    seed: 1,
    onEvent: (event) => {
      if (event.type === 'windowDone')
        sizes.push(model?.parameters.variable('inputs.item.category.table').shape[0] ?? 0);
    },
  });
  expect(columns).toEqual([[{ name: 'item', kind: 'category', numValues: 6 }]]);
  expect(sizes).toEqual([6, 10]);
});
