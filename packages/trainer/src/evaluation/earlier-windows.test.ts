import { datasetFromSessions, planRollingEvaluation } from '@nimue/data';
import { losses } from '@nimue/losses';
import { models } from '@nimue/models';
import * as tf from '@tensorflow/tfjs';
import { evaluationSchema, runContender, summarizeForgetting, trainingSchema } from '../index.ts';

/** Three days, each with items of its own. */
const dataset = datasetFromSessions(
  Array.from({ length: 30 }, (_, s) => {
    const startMs = Date.UTC(2024, 0, 1 + (s % 3)) + s * 1000;
    return { items: [`a${s % 3}`, `b${s % 3}`], timestampsMs: [startMs, startMs + 1] };
  }),
);

beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
});

function run(earlierWindows: number | 'all' | undefined) {
  const spec = models.popularity;
  return runContender(
    {
      label: 'popularity',
      create: (size) => spec.create(spec.configSchema.parse({ over: 'lastWindow' }), size),
      loss: losses.crossEntropy.create(losses.crossEntropy.configSchema.parse({})),
      training: trainingSchema.parse({}),
    },
    {
      dataset,
      plan: planRollingEvaluation(dataset.windows, { policy: 'incremental' }),
      evaluation: evaluationSchema.parse({ metrics: ['hr@2'], earlierWindows }),
      seed: 1,
    },
  );
}

test('forgetting by hand: what was popular on the first day is nothing after the second', async () => {
  const results = await run('all');
  // After the first day a0 and b0 are the only items: b0 stands second, the tie against it. After the second day a1 and b1 were
  // clicked last, and a0 and b0 come after them.
  expect(
    results.map(({ earlier }) => earlier?.map(({ window, metrics, forgotten }) => [window, metrics, forgotten])),
  ).toEqual([
    [['2024-01-01', { 'hr@2': 1 }, { 'hr@2': 0 }]],
    [
      ['2024-01-01', { 'hr@2': 0 }, { 'hr@2': 1 }],
      ['2024-01-02', { 'hr@2': 1 }, { 'hr@2': 0 }],
    ],
  ]);
  expect(summarizeForgetting(results)).toEqual([
    { model: 'popularity', numWindowsSince: 1, forgotten: { 'hr@2': 1 }, numMeasured: 1 },
  ]);
});

test('only the last windows, or none; the figures of the run stay as they are', async () => {
  const [none, one] = [await run(undefined), await run(1)];
  expect(none.map(({ earlier }) => earlier)).toEqual([undefined, undefined]);
  expect(one.map(({ earlier }) => earlier?.map(({ window }) => window))).toEqual([['2024-01-01'], ['2024-01-02']]);
  expect(one.map(({ metrics }) => metrics)).toEqual(none.map(({ metrics }) => metrics));
});
