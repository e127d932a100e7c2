import { datasetFromSessions, ItemVocabulary, objectives, type PlainSession, planRollingEvaluation } from '@nimue/data';
import { losses } from '@nimue/losses';
import { parseMetricAtK } from '@nimue/metrics';
import { type ModelSize, models, type NeuralModel } from '@nimue/models';
import { createRandom, useTestBackend } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { laneBatches } from './fit-session-parallel.ts';
import {
  type Contender,
  evaluate,
  evaluationSchema,
  runContender,
  runReference,
  summarizeResults,
  type TrainerEvent,
  trainingSchema,
} from './index.ts';

const DAY = 24 * 3600 * 1000;
const START = Date.UTC(2024, 0, 1);

/** Four days of walks over ten items; on day 3 the item 'new' appears. */
function walks(perDay = 24): PlainSession[] {
  const random = createRandom(4);
  return [0, 1, 2, 3].flatMap((day) =>
    Array.from({ length: perDay }, (_, s): PlainSession => {
      const first = Math.floor(random() * 10);
      const items = [0, 1, 2, 3].map((i) => `item${(first + i) % 10}`);
      if (day === 3 && s === 0) items[3] = 'new';
      return {
        id: `d${day}s${s}`,
        items,
        timestampsMs: items.map((_, i) => START + day * DAY + s * 60_000 + i * 1000),
      };
    }),
  );
}

const dataset = datasetFromSessions(walks(), { windows: { span: 'day' } });
const crossEntropy = losses.crossEntropy.create(losses.crossEntropy.configSchema.parse({}));

function contender(name: keyof typeof models, config: Record<string, unknown>, training: Record<string, unknown> = {}) {
  const spec = models[name];
  const parsed = spec.configSchema.parse(config) as never;
  return {
    label: name,
    create: (size: ModelSize) => spec.create(parsed, size),
    loss: crossEntropy,
    training: trainingSchema.parse({ epochs: 8, batchSize: 8, learningRate: 0.02, ...training }),
  } satisfies Contender;
}

const args = (policy: Parameters<typeof planRollingEvaluation>[1] = { policy: 'incremental' }) => ({
  dataset,
  plan: planRollingEvaluation(dataset.windows, policy),
  evaluation: evaluationSchema.parse({ metrics: ['hr@1', 'ndcg@20'] }),
  seed: 1,
});

beforeAll(() => useTestBackend());

test('popularity of the last window: the numbers by an independent count', async () => {
  const results = await runContender(contender('popularity', {}), args());
  expect(results.map((result) => result.evaluateWindow)).toEqual(['2024-01-02', '2024-01-03', '2024-01-04']);
  for (const [i, result] of results.entries()) {
    const train = await dataset.read(i, 'train');
    const test = await dataset.read(i + 1, 'test');
    const known = new Set<number>();
    for (let w = 0; w <= i; w++) for (const code of (await dataset.read(w, 'train')).itemCodes) known.add(code);
    const count = (code: number) => train.itemCodes.filter((other) => other === code).length;
    let hits = 0;
    let gain = 0;
    const numTargets = test.offsets.length - 1;
    for (let s = 0; s < numTargets; s++) {
      const target = test.itemCodes[test.offsets[s + 1] - 1];
      if (!known.has(target)) continue;
      const rank = 1 + [...known].filter((code) => code !== target && count(code) >= count(target)).length;
      if (rank <= 1) hits++;
      if (rank <= 20) gain += 1 / Math.log2(1 + rank);
    }
    expect(result.numTargets).toBe(numTargets);
    expect(result.metrics['hr@1']).toBeCloseTo(hits / numTargets, 12);
    expect(result.metrics['ndcg@20']).toBeCloseTo(gain / numTargets, 12);
  }
});

const LEARNERS = [
  ['gru4rec', { hiddenSize: 12 }],
  ['sasrec', { hiddenSize: 12, dropout: 0 }],
] as const;

test.each(LEARNERS)('%s learns the walk and never trains on what it is evaluated on', async (name, config) => {
  const events: TrainerEvent[] = [];
  const onEvent = (event: TrainerEvent) => void events.push(event);
  const results = await runContender(contender(name, config), { ...args(), onEvent });
  expect(results[1].metrics['hr@1']).toBeGreaterThan(0.9);
  const started = events.filter((event) => event.type === 'windowStarted');
  expect(started.map((event) => [event.trainWindows, event.evaluateWindow])).toEqual([
    [['2024-01-01'], '2024-01-02'],
    [['2024-01-02'], '2024-01-03'],
    [['2024-01-03'], '2024-01-04'],
  ]);
  expect(started[0]).toMatchObject({ numSessions: 24, numEvents: 96, numItems: 10, numNewItems: 10, numSteps: 24 });
  const steps = events.filter((event) => event.type === 'stepDone');
  expect(steps).toHaveLength(3 * 24);
  expect(steps[0].loss).toBeGreaterThan(steps[23].loss);
  expect(steps[0]).toMatchObject({ epoch: 1, numEpochs: 8, step: 1, numSteps: 24, numEvents: 24 });
});

test.each([
  ['lastItem', {}],
  ['masked', { maskRate: 0.4, lastItemShare: 0.5 }],
] as const)('objective %s %j learns the walk', async (name, config) => {
  const objective = objectives[name].create(objectives[name].configSchema.parse(config) as never);
  const sasrec = contender('sasrec', { hiddenSize: 12, dropout: 0 }, { epochs: 16 });
  const one = args();
  const plan = { ...one.plan, steps: one.plan.steps.slice(0, 2) };
  const [, result] = await runContender({ ...sasrec, objective }, { ...one, plan });
  expect(result.metrics['hr@1']).toBeGreaterThan(0.9);
  expect(result.numTargets).toBe((await dataset.read(2, 'test')).offsets.length - 1);
});

test('a model that would see its targets is refused before it is trained; one that counts is asked in its own way', async () => {
  const sasrec = contender('sasrec', { hiddenSize: 4 });
  const twoWay = {
    ...sasrec,
    label: 'two-way',
    create: (size: ModelSize) => ({ ...(sasrec.create(size) as NeuralModel), attention: 'bidirectional' as const }),
  };
  await expect(runContender(twoWay, args())).rejects.toThrow(
    "two-way: bidirectional attention does not go with the objective 'causal'",
  );
  const replacedToken = objectives.replacedToken.create({ maskRate: 0.2, lastItemShare: 0 });
  const bert = contender('bert', { hiddenSize: 4 });
  await expect(runContender({ ...bert, objective: replacedToken }, args())).rejects.toThrow(
    "bert: the objective 'replacedToken' needs a model with a discriminator",
  );
  const masked = objectives.masked.create({ maskRate: 0.2, lastItemShare: 0 });
  const metrics = async (popularity: Contender) => (await runContender(popularity, args())).map((r) => r.metrics);
  expect(await metrics({ ...contender('popularity', {}), objective: masked })).toEqual(
    await metrics(contender('popularity', {})),
  );
});

test('session-parallel mini-batches learn the walk too, and are refused where no state is carried', async () => {
  const before = tf.memory().numTensors;
  const events: TrainerEvent[] = [];
  const onEvent = (event: TrainerEvent) => void events.push(event);
  const training = { sessionParallel: true, batchSize: 8, epochs: 8 };
  const results = await runContender(contender('gru4rec', { hiddenSize: 12 }, training), { ...args(), onEvent });
  expect(results[1].metrics['hr@1']).toBeGreaterThan(0.9);
  // 24 sessions of 3 predictions each in 8 lanes: 9 steps of 8 clicks an epoch
  const [started] = events.filter((event) => event.type === 'windowStarted');
  expect(started).toMatchObject({ numSteps: 8 * 9 });
  expect(tf.memory().numTensors).toBe(before);
  await expect(runContender(contender('sasrec', {}, training), args())).rejects.toThrow(
    'sasrec: training.sessionParallel needs a model that carries its state from click to click, such as gru4rec',
  );
  const objective = objectives.lastItem.create({});
  await expect(runContender({ ...contender('gru4rec', {}, training), objective }, args())).rejects.toThrow(
    "gru4rec: training.sessionParallel predicts every next item, so it needs the objective 'causal', got 'lastItem'",
  );
});

test('session-parallel batches carry the features of the clicks that they read', () => {
  const sessions = {
    itemIds: Int32Array.of(3, 4, 5, 6, 7),
    offsets: Int32Array.of(0, 3, 5),
    features: { brand: Int32Array.of(1, 2, 3, 4, 5), price: Float32Array.of(0.5, 1.5, 2.5, 3.5, 4.5) },
  };
  for (const { batch } of laneBatches(sessions, { batchSize: 2, seed: 1, epoch: 1 })) {
    const { brand, price } = batch.features as NonNullable<typeof batch.features>;
    expect([...brand]).toEqual(Array.from(batch.itemIds, (id) => id - 2));
    expect([...price]).toEqual(Array.from(batch.itemIds, (id) => id - 2.5));
    expect([...batch.targets.itemIds]).toEqual(Array.from(batch.itemIds, (id) => id + 1));
  }
});

test('schedule and warm-up reach the optimizer: other losses than with a constant rate', async () => {
  const losses = async (training: Record<string, unknown>) => {
    const found: number[] = [];
    const onEvent = (event: TrainerEvent) => void (event.type === 'stepDone' && found.push(event.loss));
    await runContender(contender('gru4rec', { hiddenSize: 4 }, { epochs: 1, ...training }), { ...args(), onEvent });
    return found;
  };
  const constant = await losses({});
  for (const training of [{ schedule: 'linear' }, { schedule: 'cosine' }, { warmupShare: 1 }]) {
    const found = await losses(training);
    expect(found[0]).toBe(constant[0]);
    expect(found[2]).not.toBe(constant[2]);
  }
});

test.each([
  ['adagrad', { learningRate: 0.2 }],
  ['adagrad', { learningRate: 0.1, momentum: 0.5 }],
  ['sgd', { learningRate: 0.5, momentum: 0.9, epochs: 16 }],
] as const)('%s with %j learns the walk too, and leaves no tensor', async (optimizer, training) => {
  const before = tf.memory().numTensors;
  const results = await runContender(contender('gru4rec', { hiddenSize: 12 }, { optimizer, ...training }), args());
  expect(results[1].metrics['hr@1']).toBeGreaterThan(0.9);
  expect(tf.memory().numTensors).toBe(before);
});

test('same seed, same metrics; another seed, other losses', async () => {
  const runs = await Promise.all(
    [1, 1, 2].map((seed) => runContender(contender('gru4rec', { hiddenSize: 4 }, { epochs: 1 }), { ...args(), seed })),
  );
  const [a, b, c] = runs.map((results) => results.map(({ metrics, loss }) => ({ metrics, loss })));
  expect(a).toEqual(b);
  expect(a[0].loss).not.toBe(c[0].loss);
});

test('a target outside the vocabulary is a counted miss', async () => {
  const vocabulary = new ItemVocabulary();
  vocabulary.grow(await dataset.read(0, 'train'));
  const model = contender('popularity', {}).create({ numRows: vocabulary.size, seed: 1 });
  const metrics = [parseMetricAtK('hr@20')];
  const whole = await dataset.read(3, 'train');
  const {
    metrics: means,
    numUnknownTargets,
    ranks,
  } = await evaluate(model, whole, vocabulary, { metrics, objective: objectives.causal.create({}), batchSize: 7 });
  expect(numUnknownTargets).toBe(1);
  expect(ranks).toHaveLength(24);
  expect(means['hr@20']).toBeCloseTo(23 / 24, 12);
});

test('the evaluation batch size changes no number', async () => {
  const [small, large] = await Promise.all(
    [1, 512].map((batchSize) =>
      runContender(contender('sasrec', { hiddenSize: 8 }, { epochs: 1 }), {
        ...args(),
        evaluation: evaluationSchema.parse({ batchSize }),
      }),
    ),
  );
  expect(small.map(({ metrics }) => metrics)).toEqual(large.map(({ metrics }) => metrics));
});

test.each([
  [
    'sliding',
    { policy: 'sliding', size: 2 },
    [
      [0, 1],
      [1, 2],
    ],
  ],
  ['expanding', { policy: 'expanding' }, [[0], [0, 1], [0, 1, 2]]],
  ['frozen', { policy: 'frozen' }, [[0], [], []]],
] as const)('policy %s trains on the windows it names', async (_name, policy, expected) => {
  const events: TrainerEvent[] = [];
  const onEvent = (event: TrainerEvent) => void events.push(event);
  await runContender(contender('gru4rec', { hiddenSize: 4 }, { epochs: 1 }), { ...args(policy), onEvent });
  const started = events.filter((event) => event.type === 'windowStarted');
  expect(started.map((event) => event.trainWindows)).toEqual(
    expected.map((windows) => windows.map((w) => dataset.windows[w].id)),
  );
  const hasSteps = started.map((event) => event.numSteps > 0);
  expect(hasSteps).toEqual(expected.map((windows) => windows.length > 0));
});

test('no tensor is left behind', async () => {
  const before = tf.memory().numTensors;
  await runContender(contender('gru4rec', { hiddenSize: 4 }, { epochs: 1, clipNorm: 0.01 }), args());
  expect(tf.memory().numTensors).toBe(before);
});

test('divergence stops with the model, the window, the step and the learning rate, and leaves no tensor', async () => {
  const before = tf.memory().numTensors;
  const run = runContender(contender('sasrec', { hiddenSize: 4 }, { learningRate: 1e30 }), args());
  await expect(run).rejects.toThrow(
    /sasrec: the loss became (NaN|Infinity) at step \d+ of window 2024-01-01 \(learning rate 1e\+30\); lower/,
  );
  expect(tf.memory().numTensors).toBe(before);
});

test('stops between two steps when asked', async () => {
  const controller = new AbortController();
  let steps = 0;
  const onEvent = (event: TrainerEvent) => {
    if (event.type === 'stepDone' && ++steps === 2) controller.abort(new Error('enough'));
  };
  const run = runContender(contender('gru4rec', { hiddenSize: 4 }), { ...args(), onEvent, signal: controller.signal });
  await expect(run).rejects.toThrow('enough');
  expect(steps).toBe(2);
});

test('a reference is evaluated on the same sessions', async () => {
  const seen: number[] = [];
  const results = await runReference(
    {
      label: 'best',
      rankSessions: ({ offsets }) => {
        seen.push(offsets.length - 1);
        return new Int32Array(offsets.length - 1).fill(1);
      },
    },
    args(),
  );
  const tests = await Promise.all([1, 2, 3].map((w) => dataset.read(w, 'test')));
  expect(seen).toEqual(tests.map(({ offsets }) => offsets.length - 1));
  expect(results.every(({ metrics }) => metrics['hr@1'] === 1)).toBe(true);
});

test('summarizeResults: seeds are averaged first, the error is over windows', async () => {
  const results = await runReference(
    { label: 'm', rankSessions: ({ offsets }) => new Int32Array(offsets.length - 1).fill(1) },
    args(),
  );
  const values = [
    [0.1, 0.2, 0.6],
    [0.3, 0.4, 0.8],
  ];
  const all = values.flatMap((row, seed) => results.map((r, i) => ({ ...r, seed, metrics: { 'hr@1': row[i] } })));
  const [row] = summarizeResults(all);
  // window means .2, .3, .7: mean .4, squares .04 + .01 + .09 = .14, error √(.07 / 3)
  expect(row.metrics['hr@1'].mean).toBeCloseTo(0.4, 12);
  expect(row.metrics['hr@1'].standardError).toBeCloseTo(Math.sqrt(0.07 / 3), 12);
  expect(row).toMatchObject({ model: 'm', numWindows: 3, numSeeds: 2 });
  expect(() => summarizeResults(all.slice(1))).toThrow('m has 5 results for 3 windows and 2 seeds');
});
