import { datasetFromSessions, ItemVocabulary, planRollingEvaluation } from '@nimue/data';
import { losses } from '@nimue/losses';
import { models } from '@nimue/models';
import * as tf from '@tensorflow/tfjs';
import { evaluationSchema, runContender, type TrainerEvent, trainingSchema } from './index.ts';
import { addItemHistory, NO_HISTORY } from './item-history.ts';
import { readTrainSessions } from './train-sessions.ts';

const DAY_MS = 86_400_000;
/** 200 sessions a day of the day's own two items. */
const dataset = datasetFromSessions(
  Array.from({ length: 600 }, (_, s) => {
    const day = s % 3;
    const startMs = Date.UTC(2024, 0, 1) + day * DAY_MS + s * 1000;
    return { items: [`a${day}`, `b${day}`], timestampsMs: [startMs, startMs + 1] };
  }),
);
const LIMITS = [1_000_000, 0];

beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
});

async function replayed(share: number, seed: number, limit: number) {
  const vocabulary = new ItemVocabulary();
  for (const window of [0, 1]) (await readTrainSessions(dataset, [window], vocabulary, limit)).dispose();
  const train = await readTrainSessions(dataset, [2], vocabulary, limit, {}, { windows: [0, 1], share, seed });
  const counts = [...(await addItemHistory(NO_HISTORY, train, vocabulary.size)).counts];
  const windows: number[][] = [];
  for await (const { itemIds } of train.encodedWindows()) windows.push([...itemIds]);
  const { numSessions, numEvents, numReplayed, numNewItems } = train;
  train.dispose();
  return { numSessions, numEvents, numReplayed, numNewItems, counts, windows };
}

test.each(LIMITS)('a share of the older sessions is trained on again (%p events in memory)', async (limit) => {
  const all = await replayed(1, 1, limit);
  expect(all).toMatchObject({ numSessions: 600, numEvents: 1200, numReplayed: 400, numNewItems: 2 });
  const some = await replayed(0.25, 1, limit);
  // 400 draws at 0.25: 100, and 8.7 is their standard deviation.
  expect(Math.abs(some.numReplayed - 100)).toBeLessThan(35);
  expect(some.numSessions).toBe(200 + some.numReplayed);
  expect(await replayed(0.25, 1, LIMITS[0])).toEqual(some);
  expect((await replayed(0.25, 2, limit)).numReplayed).not.toBe(some.numReplayed);
  // What is fitted learns from the day itself alone: a2 and b2 have ids 7 and 8.
  expect(some.counts).toEqual([0, 0, 0, 0, 0, 0, 0, 200, 200]);
  expect(some.windows).toEqual(all.windows);
  expect(new Set(some.windows.flat())).toEqual(new Set([7, 8]));
});

test('a run with policy replay: the first step has nothing to replay, the later ones train on more', async () => {
  const started: number[] = [];
  const onEvent = (event: TrainerEvent) =>
    void (event.type === 'windowStarted' && started.push(event.numSessions, event.numReplayed));
  const spec = models.gru4rec;
  await runContender(
    {
      label: 'gru4rec',
      create: (size) => spec.create(spec.configSchema.parse({ hiddenSize: 2 }), size),
      loss: losses.crossEntropy.create(losses.crossEntropy.configSchema.parse({})),
      training: trainingSchema.parse({ epochs: 1 }),
    },
    {
      dataset,
      plan: planRollingEvaluation(dataset.windows, { policy: 'replay', share: 1 }),
      evaluation: evaluationSchema.parse({}),
      seed: 1,
      onEvent,
    },
  );
  expect(started).toEqual([200, 0, 400, 200]);
});
