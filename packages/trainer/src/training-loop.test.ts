import { packSessions } from '@nimue/batch';
import { datasetFromSessions, planRollingEvaluation } from '@nimue/data';
import { losses } from '@nimue/losses';
import { models, type NeuralModel, ParameterStore } from '@nimue/models';
import { assertClose, useTestBackend } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import {
  evaluationSchema,
  Optimizer,
  optimizers,
  runContender,
  type TrainerEvent,
  trainingSchema,
  trainStep,
  WEIGHT_DECAY_GROUPS,
  WeightAverage,
} from './index.ts';

const DAY_MS = 86_400_000;
const START = Date.UTC(2024, 0, 1);
const dataset = datasetFromSessions(
  Array.from({ length: 60 }, (_, s) => {
    const startMs = START + (s % 3) * DAY_MS + s * 1000;
    return { items: [0, 1, 2, 3].map((i) => `i${(s + i) % 9}`), timestampsMs: [0, 1, 2, 3].map((i) => startMs + i) };
  }),
);
const loss = losses.crossEntropy.create(losses.crossEntropy.configSchema.parse({}));

beforeAll(() => useTestBackend());

async function run(training: Record<string, unknown>) {
  const events: TrainerEvent[] = [];
  const spec = models.gru4rec;
  const contender = {
    label: 'gru4rec',
    create: (size: Parameters<typeof spec.create>[1]) => spec.create(spec.configSchema.parse({ hiddenSize: 6 }), size),
    loss,
    training: trainingSchema.parse({ epochs: 2, batchSize: 8, learningRate: 0.02, ...training }),
  };
  const results = await runContender(contender, {
    dataset,
    plan: planRollingEvaluation(dataset.windows, { policy: 'incremental' }),
    evaluation: evaluationSchema.parse({ metrics: ['mrr@20'] }),
    seed: 1,
    onEvent: (event) => void events.push(event),
  });
  const steps = events.flatMap((event) => (event.type === 'stepDone' ? [event] : []));
  return { results, steps };
}

test('a schedule over the run goes on where the window before left it; over a window it starts anew', async () => {
  const rates = async (scheduleOver: string) =>
    (await run({ schedule: 'linear', scheduleOver, learningRate: 0.12 })).steps.map((step) => step.learningRate);
  // 20 sessions a day in batches of 8: 3 steps an epoch, 6 a window, 12 in the run
  const down = (from: number, by: number, count: number) => Array.from({ length: count }, (_, i) => from - i * by);
  assertClose('window', await rates('window'), [...down(0.12, 0.02, 6), ...down(0.12, 0.02, 6)], 1e-12);
  assertClose('run', await rates('run'), down(0.12, 0.01, 12), 1e-12);
});

test('session-parallel steps count the sessions that begin in them: in an epoch every session once', async () => {
  const { steps } = await run({ sessionParallel: true, epochs: 1 });
  const first = steps.filter(({ windowIndex }) => windowIndex === 0);
  // 20 sessions of 4 items are learned in 60 pairs; 8 begin in the first step.
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  expect(first[0]).toMatchObject({ numSessions: 8, numEvents: 8 });
  expect([sum(first.map(({ numSessions }) => numSessions)), sum(first.map(({ numEvents }) => numEvents))]).toEqual([
    20, 60,
  ]);
});

test('steps instead of epochs; other epochs for the first window', async () => {
  const { steps } = await run({ steps: 4 });
  expect(steps.map(({ epoch, numEpochs, step, numSteps }) => [epoch, numEpochs, step, numSteps]).slice(0, 4)).toEqual([
    [1, 2, 1, 4],
    [1, 2, 2, 4],
    [1, 2, 3, 4],
    [2, 2, 4, 4],
  ]);
  expect(steps).toHaveLength(8);
  const base = await run({ epochs: 1, baseEpochs: 3 });
  expect(base.steps.map(({ windowIndex }) => windowIndex)).toEqual([...Array(9).fill(0), ...Array(3).fill(1)]);
});

test('reduceOnPlateau cuts the rate after an epoch that is no better', async () => {
  const { steps } = await run({
    schedule: 'reduceOnPlateau',
    plateau: { factor: 0.5, patience: 0, minDelta: 0.99 },
    epochs: 3,
    learningRate: 0.08,
  });
  // the first epoch is the best so far; none after it is better by 99 %
  const rates = steps.filter(({ windowIndex }) => windowIndex === 0).map((step) => step.learningRate);
  expect(rates).toEqual([0.08, 0.08, 0.08, 0.08, 0.08, 0.08, 0.04, 0.04, 0.04]);
});

test.each([false, true])(
  'accumulated batches move the weights as one batch does (touched rows: %p)',
  (touchedRowsOnly) => {
    const before = tf.memory().numTensors;
    const sessions = [
      [3, 4, 5, 6],
      [7, 3],
      [8, 9, 4],
      [5, 5, 10],
      [11, 3, 12, 4, 5],
    ];
    const batchOf = (from: number, to: number) => {
      const own = sessions.slice(from, to);
      const ends = own.map((_, s) => own.slice(0, s + 1).reduce((sum, { length }) => sum + length - 1, 0) - 1);
      return packSessions(
        own.map((items) => items.slice(0, -1)),
        { positions: Int32Array.from(ends), itemIds: Int32Array.from(own, (items) => items[items.length - 1]) },
      );
    };
    const trained = (batches: ReturnType<typeof batchOf>[]) => {
      const spec = models.gru4rec;
      const model = spec.create(
        spec.configSchema.parse({ hiddenSize: 5, embedding: 'separate', inputDropout: 0, hiddenDropout: 0 }),
        {
          numRows: 14,
          seed: 3,
        },
      ) as NeuralModel;
      const optimizer = new Optimizer(optimizers.sgd(trainingSchema.parse({ optimizer: 'sgd' })));
      const [batch, ...rest] = batches;
      const further = rest.map((one) => ({ batch: one, seed: 1 }));
      const value = trainStep({ model, loss, optimizer, batch, further, seed: 1, learningRate: 0.5, touchedRowsOnly });
      const weights = [...model.parameters.read().values()].flatMap((values) => [...values]);
      model.dispose();
      optimizer.dispose();
      return { value, weights };
    };
    const whole = trained([batchOf(0, 5)]);
    const parts = trained([batchOf(0, 1), batchOf(1, 3), batchOf(3, 5)]);
    expect(parts.value).toBeCloseTo(whole.value, 5);
    assertClose('weights', parts.weights, whole.weights, 1e-5);
    expect(tf.memory().numTensors).toBe(before);
  },
);

test('accumulation takes fewer steps over the same events', async () => {
  const [single, double] = [await run({}), await run({ accumulateBatches: 2 })];
  const events = ({ steps }: typeof single) => steps.reduce((sum, { numEvents }) => sum + numEvents, 0);
  expect([single.steps.length, double.steps.length]).toEqual([12, 8]);
  expect(events(double)).toBe(events(single));
  await expect(run({ accumulateBatches: 2, sessionParallel: true })).rejects.toThrow(
    'accumulateBatches would hold back',
  );
});

test('weight decay reaches the parameters of its group alone', () => {
  const decayed = WEIGHT_DECAY_GROUPS.map((group) => {
    const store = new ParameterStore(1);
    store.add('items', [4, 2], { kind: 'ones' }, true);
    store.add('positions', [4, 2], { kind: 'ones' });
    store.add('block1.query.weights', [2, 2], { kind: 'ones' });
    store.add('block1.query.bias', [2], { kind: 'ones' });
    store.add('block1.norm.gamma', [2], { kind: 'ones' });
    const optimizer = new Optimizer(optimizers.adam(trainingSchema.parse({ weightDecay: 0.5 })), group);
    const gradients = Object.fromEntries(
      store.names.map((name) => [name, tf.zeros(store.variable(name).shape) as tf.Tensor]),
    );
    optimizer.apply(store, gradients, 0.1);
    // w ← w − η λ w = 1 − 0.05, where it decays
    const found = store.names.filter(
      (name) => Math.abs((store.variable(name).dataSync().at(-1) as number) - 0.95) < 1e-6,
    );
    tf.dispose(gradients);
    store.dispose();
    optimizer.dispose();
    return found;
  });
  expect(decayed).toEqual([
    ['items', 'positions', 'block1.query.weights', 'block1.query.bias', 'block1.norm.gamma'],
    ['items', 'positions', 'block1.query.weights'],
    ['block1.query.weights'],
  ]);
});

test('the moving average by hand; new rows join as they are; the weights come back', () => {
  const store = new ParameterStore(1);
  store.add('items', [4, 1], { kind: 'zeros' }, true);
  const average = new WeightAverage(0.75);
  const set = (...values: number[]) => store.write(new Map([['items', Float32Array.from(values)]]));
  const averaged = () => {
    average.swapIn(store);
    const found = [...(store.read().get('items') as Float32Array)];
    average.swapOut(store);
    return found;
  };
  set(0, 0, 0, 1);
  expect(averaged()).toEqual([0, 0, 0, 1]);
  average.update(store);
  set(0, 0, 0, 5);
  average.update(store);
  expect(averaged()).toEqual([0, 0, 0, 0.75 * 1 + 0.25 * 5]);
  store.resizeItems(5);
  set(0, 0, 0, 2, 8);
  expect(averaged()).toEqual([0, 0, 0, 2, 8]);
  average.update(store);
  expect(averaged()).toEqual([0, 0, 0, 0.75 * 2 + 0.25 * 2, 8]);
  expect([...(store.read().get('items') as Float32Array)]).toEqual([0, 0, 0, 2, 8]);
  store.dispose();
});

test('a run evaluates with the average and trains on with the weights; the optimizer may be carried', async () => {
  const [plain, averaged, carried] = [
    await run({}),
    await run({ averageDecay: 0.9 }),
    await run({ carryOptimizer: true }),
  ];
  const lossesOf = ({ steps }: typeof plain) => steps.map((step) => step.loss);
  expect(lossesOf(averaged)).toEqual(lossesOf(plain));
  expect(averaged.results[0].metrics).not.toEqual(plain.results[0].metrics);
  expect(lossesOf(carried).slice(0, 7)).toEqual(lossesOf(plain).slice(0, 7));
  expect(lossesOf(carried)[8]).not.toBe(lossesOf(plain)[8]);
});
