import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { datasetFromSessions, type PlainSession, planRollingEvaluation } from '@nimue/data';
import { type Loss, type LossInputs, type LossSpec, losses } from '@nimue/losses';
import { isHeadWeight, models } from '@nimue/models';
import * as tf from '@tensorflow/tfjs';
import {
  evaluationSchema,
  type RunRollingArgs,
  runContender,
  summarizeResults,
  type TrainedModel,
  type TrainerEvent,
  trainingSchema,
  type WindowResult,
} from './index.ts';
import { TargetLabels } from './target-labels.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
});

/** Walks round a circle of eight items; items 0 to 2 are bought, all others viewed, and item i costs 100 + 10 i. */
function walk(day: number, first: number, change: (columns: Columns, place: number) => void = () => {}): PlainSession {
  const items = [0, 1, 2, 3].map((step) => (first + step) % 8);
  const columns: Columns = {
    type: items.map((item) => (item < 3 ? 'buy' : 'view')),
    price: items.map((item) => 100 + 10 * item),
  };
  items.forEach((_, place) => {
    change(columns, place);
  });
  const timestampsMs = items.map((_, place) => Date.UTC(2024, 0, day, 12, 0, place));
  return { items, timestampsMs, columns: columns as PlainSession['columns'] };
}
type Columns = { type: (string | null)[]; price: (number | null)[] };

const datasetOf = (change?: (day: number, columns: Columns, place: number) => void) =>
  datasetFromSessions(
    [1, 2, 3].flatMap((day) =>
      Array.from({ length: 24 }, (_, s) => walk(day, s % 8, (columns, place) => change?.(day, columns, place))),
    ),
    { split: { validShare: 0 } },
  );

const MULTI_TASK = {
  parts: [
    { name: 'crossEntropy' },
    { name: 'binary', column: 'type', is: ['buy'], as: 'bought' },
    { name: 'regression', column: 'price', weight: 0.5, hiddenSize: 8 },
  ],
};

interface Options extends Partial<Pick<RunRollingArgs, 'dataset' | 'checkpoints' | 'onTrained' | 'onEvent'>> {
  readonly training?: object;
  readonly loss?: Loss | object;
}

function run({ dataset = datasetOf(), training = {}, loss = MULTI_TASK, ...rest }: Options = {}) {
  const spec = losses.weightedSum as LossSpec;
  const { configSchema, create } = models.gru4rec;
  return runContender(
    {
      label: 'gru4rec',
      create: (size) => create(configSchema.parse({ hiddenSize: 8 }), size),
      loss: typeof loss === 'function' ? (loss as Loss) : spec.create(spec.configSchema.parse(loss)),
      training: trainingSchema.parse({ batchSize: 8, learningRate: 0.01, ...training }),
    },
    {
      dataset,
      plan: planRollingEvaluation(dataset.windows, { policy: 'incremental' }),
      evaluation: evaluationSchema.parse({ metrics: ['hr@1'] }),
      seed: 1,
      ...rest,
    },
  );
}

const untimed = (results: readonly WindowResult[]) =>
  results.map(({ trainSeconds: _train, evaluateSeconds: _evaluate, ...result }) => result);

test('a model learns what comes next, whether it is bought and what it costs', async () => {
  // Whoever hears events is told an estimate of the memory first, which takes a part of a batch.
  const heard: string[] = [];
  const onEvent = ({ type }: TrainerEvent) => heard.push(type);
  const results = await run({ training: { epochs: 20, learningRate: 0.03 }, onEvent });
  expect(heard[0]).toBe('windowStarted');
  const last = results[results.length - 1];
  expect(last.metrics['hr@1']).toBe(1);
  const [bought, price] = last.heads ?? [];
  expect(bought).toMatchObject({ head: 'bought', kind: 'binary', numLabels: 24 });
  // Every walk's last item: 9 of 24 are items 0 to 2.
  expect(bought.metrics.shareOfYes).toBe(9 / 24);
  expect(bought.metrics.auc).toBeGreaterThan(0.99);
  expect(bought.metrics.accuracy).toBeGreaterThan(0.95);
  expect(price).toMatchObject({ head: 'price', kind: 'regression', numLabels: 24 });
  // 100, 110 … 170, each three times.
  expect(price.metrics.deviation).toBeCloseTo(10 * Math.sqrt(63 / 12), 9);
  expect(price.metrics.rmse).toBeLessThan(0.5 * price.metrics.deviation);
}, 240_000);

test('a label is never seen: those of the evaluated window change no rank and no prediction', async () => {
  const training = { epochs: 3 };
  const usual = await run({ training });
  const changed = datasetOf((day, columns, place) => {
    if (day !== 3) return;
    columns.price[place] = 500;
    columns.type[place] = place === 3 ? null : 'buy';
  });
  const other = await run({ training, dataset: changed });
  expect(other[1].metrics).toEqual(usual[1].metrics);
  const [bought, price] = other[1].heads ?? [];
  // Nothing is known of the targets any more, and no figure is made up.
  expect(bought).toEqual({ head: 'bought', kind: 'binary', numLabels: 0, metrics: {} });
  // All labels are 500 now, so errors of the same predictions p are 500 − p: their mean square follows from what was there before.
  const [, before] = usual[1].heads ?? [];
  expect(before.metrics.deviation).toBeGreaterThan(20);
  expect(price.metrics.mae).toBeGreaterThan(300);
});

test('an event without labels teaches the ranking alone, and the others as before', async () => {
  const sparse = datasetOf((_day, columns, place) => {
    if (place === 3) columns.price[place] = columns.type[place] = null;
  });
  const numLabels: number[] = [];
  const spec = losses.binary as LossSpec;
  const binary = spec.create(spec.configSchema.parse({ column: 'type', is: ['buy'] }));
  const cross = losses.crossEntropy.create(losses.crossEntropy.configSchema.parse({}));
  const watched = Object.assign(
    (inputs: LossInputs) => {
      numLabels.push(inputs.batch?.targets.labels?.type.filter((label) => !Number.isNaN(label)).length ?? -1);
      return tf.add(cross(inputs), binary(inputs)) as tf.Scalar;
    },
    { heads: binary.heads },
  );
  await run({ dataset: sparse, training: { epochs: 1, batchSize: 24 }, loss: watched });
  // Two train windows of 24 sessions with three targets each, one of them without a label.
  expect(numLabels).toEqual([48, 48]);
}, 240_000);

test('sessions in a file, another thread and a resumed run learn the same bits', async () => {
  const training = { epochs: 2 };
  const usual = await run({ training });
  const spilled = await run({ training: { ...training, maxEventsInMemory: 1 } });
  expect(untimed(spilled)).toEqual(untimed(usual));
  const directory = mkdtempSync(join(tmpdir(), 'nimue-heads-'));
  try {
    const checkpoints = { directory, resume: false };
    await run({ training, checkpoints });
    rmSync(join(directory, 'gru4rec-seed1-window000002.safetensors'));
    const resumed = await run({ training, checkpoints: { directory, resume: true } });
    expect(untimed(resumed)).toEqual(untimed(usual));
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('heads have weights of their own, beside those of the same model without them', async () => {
  const names: string[][] = [];
  const onTrained = async ({ model }: TrainedModel) => {
    if (model.kind === 'neural') names.push([...model.parameters.names]);
  };
  const training = { epochs: 1 };
  await run({ training, onTrained });
  await run({ training, onTrained, loss: { parts: [{ name: 'crossEntropy' }] } });
  expect(names[0].filter((name) => !isHeadWeight(name))).toEqual(names[1]);
  expect(names[0].filter(isHeadWeight)).toEqual([
    'heads.bought.prediction.weights',
    'heads.bought.prediction.bias',
    'heads.price.dense.weights',
    'heads.price.dense.bias',
    'heads.price.prediction.weights',
    'heads.price.prediction.bias',
  ]);
});

test('summaries: windows in which a figure is undefined are left out of its mean, not counted as 0', async () => {
  // On day 2 nothing but views is asked for.
  const dataset = datasetOf((day, columns, place) => {
    if (day === 2 && place === 3) columns.type[place] = 'view';
  });
  const results = await run({ dataset, training: { epochs: 1 } });
  const [{ heads }] = summarizeResults(results);
  expect(heads.map(({ head, numLabels }) => [head, numLabels])).toEqual([
    ['bought', 48],
    ['price', 48],
  ]);
  expect(heads[0].metrics.auc.count).toBe(1);
  expect(heads[0].metrics.shareOfYes).toMatchObject({ mean: 9 / 24 / 2, count: 2 });
});

test('labels that cannot be learned are refused by name', async () => {
  const withHead = (part: object) =>
    run({ training: { epochs: 1 }, loss: { parts: [{ name: 'crossEntropy' }, part] } });
  await expect(withHead({ name: 'binary', column: 'type', is: ['purchase'] })).rejects.toThrow(
    "head 'type': column 'type' never has the value 'purchase'; it has 'buy', 'view'",
  );
  await expect(withHead({ name: 'binary', column: 'price' })).rejects.toThrow(
    "head 'price': column 'price' is 100 in event 0, expected 0 or 1, or the values that mean yes as 'is'",
  );
  await expect(withHead({ name: 'regression', column: 'cost' })).rejects.toThrow(
    "head 'cost': the sessions do not carry the column 'cost' as number",
  );
  await expect(run({ training: { sessionParallel: true } })).rejects.toThrow(
    "training.sessionParallel carries no labels, which the head 'bought' of the loss is taught",
  );
});

test('what a regression is standardised by: mean and deviation of the first windows, kept', () => {
  const labels = new TargetLabels([{ name: 'cost', kind: 'regression', column: 'cost' }]);
  const sessions = (...costs: number[]) => ({
    itemCodes: new Int32Array(costs.length),
    offsets: Int32Array.of(0, costs.length),
    timestampsMs: new Float64Array(costs.length),
    columns: { 'number:cost': Float64Array.from(costs) },
  });
  labels.fit(sessions(1, 3), {});
  labels.fit(sessions(Number.NaN, 5), {});
  labels.finishStep();
  labels.fit(sessions(1000), {});
  labels.finishStep();
  const deviation = Math.sqrt(8 / 3);
  const [column] = Object.values(labels.columnsOf(sessions(3, 5, Number.NaN), {}));
  expect([...column]).toEqual([0, Math.fround(2 / deviation), Number.NaN]);
  expect(labels.meaningOf(labels.heads[0], 2 / deviation)).toBeCloseTo(5, 12);
});
