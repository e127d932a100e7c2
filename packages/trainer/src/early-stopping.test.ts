import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { datasetFromSessions, planRollingEvaluation } from '@nimue/data';
import { losses } from '@nimue/losses';
import { models } from '@nimue/models';
import * as tf from '@tensorflow/tfjs';
import {
  DivergenceError,
  type EpochDone,
  evaluationSchema,
  readCheckpointFile,
  runContender,
  type TrainerEvent,
  trainingSchema,
} from './index.ts';

const DAY_MS = 86_400_000;
const sessions = Array.from({ length: 72 }, (_, s) => {
  const startMs = Date.UTC(2024, 0, 1) + (s % 3) * DAY_MS + s * 1000;
  // A third of the sessions walk at random, so that the validation has its ups and downs.
  const items = [0, 1, 2, 3].map((i) => `i${s % 3 === 0 ? (s * 7 + i * i * 5) % 11 : (s + i) % 11}`);
  return { items, timestampsMs: items.map((_, i) => startMs + i) };
});
const folders: string[] = [];
const newFolder = () => {
  folders.push(mkdtempSync(join(tmpdir(), 'nimue-best-')));
  return folders[folders.length - 1];
};

beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
});
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

async function run(training: Record<string, unknown>, directory?: string, split?: { validShare: number }) {
  const dataset = datasetFromSessions(sessions, { split });
  const events: TrainerEvent[] = [];
  const results = await runContender(
    {
      label: 'gru4rec',
      create: (size) => models.gru4rec.create(models.gru4rec.configSchema.parse({ hiddenSize: 5 }), size),
      loss: losses.crossEntropy.create(losses.crossEntropy.configSchema.parse({})),
      training: trainingSchema.parse({ epochs: 8, batchSize: 8, learningRate: 0.1, ...training }),
    },
    {
      dataset,
      plan: planRollingEvaluation(dataset.windows, { policy: 'incremental' }),
      evaluation: evaluationSchema.parse({ metrics: ['mrr@20', 'hr@1'] }),
      seed: 1,
      onEvent: (event) => void events.push(event),
      ...(directory && { checkpoints: { directory, resume: false } }),
    },
  );
  const epochs = events.filter((event): event is EpochDone => event.type === 'epochDone');
  return { results, epochs, last: results[1] };
}

/** Epochs of the last window, where the weights of the window before are carried over. */
const ofLast = (epochs: readonly EpochDone[]) => epochs.filter(({ windowIndex }) => windowIndex === 1);

test('the best epochs by several metrics are found, reported and kept, whatever epochs come after', async () => {
  const directory = newFolder();
  const { epochs, last } = await run({ keepBest: ['mrr@20', 'hr@1', 'loss'] }, directory);
  expect(ofLast(epochs).map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  const firstBest = (values: readonly number[], best: number) => 1 + values.indexOf(best);
  const valuesOf = (metric: string) => ofLast(epochs).map(({ validation }) => validation[metric]);
  for (const [i, metric] of ['mrr@20', 'hr@1'].entries()) {
    const value = Math.max(...valuesOf(metric));
    expect(last.best?.[i]).toMatchObject({ metric, value, epoch: firstBest(valuesOf(metric), value) });
  }
  const lossOf = ofLast(epochs).map(({ loss }) => loss);
  expect(last.best?.[2]).toMatchObject({ metric: 'loss', epoch: firstBest(lossOf, Math.min(...lossOf)) });
  // The run itself goes on with the last epoch; another that ends after the best one has its metrics.
  for (const { epoch, metrics } of last.best ?? []) {
    if (epoch === 8) expect(metrics).toEqual(last.metrics);
  }
  expect(
    readdirSync(directory)
      .filter((file) => file.includes('best'))
      .sort(),
  ).toEqual([
    'gru4rec-seed1-best-hr%401.safetensors',
    'gru4rec-seed1-best-loss.safetensors',
    'gru4rec-seed1-best-mrr%4020.safetensors',
  ]);
  const { tensors } = readCheckpointFile(join(directory, 'gru4rec-seed1-best-mrr%4020.safetensors'));
  expect(tensors.get('weights/items')?.shape).toEqual([3 + 11, 5]);
});

test('early stopping: patience and minimum delta by hand over the validations; the best epoch is what is evaluated', async () => {
  const all = await run({ keepBest: ['mrr@20'], baseEpochs: 8 });
  const patience = 2;
  const minDelta = 0.005;
  const { epochs, results } = await run({ earlyStopping: { metric: 'mrr@20', patience, minDelta } });
  for (const windowIndex of [0]) {
    const values = all.epochs
      .filter((e) => e.windowIndex === windowIndex)
      .map(({ validation }) => validation['mrr@20']);
    let [best, numBad, stop] = [Number.NEGATIVE_INFINITY, 0, values.length];
    for (const [i, value] of values.entries()) {
      if (value - best >= minDelta) [best, numBad] = [value, 0];
      else numBad++;
      if (numBad === patience) {
        stop = i + 1;
        break;
      }
    }
    const own = epochs.filter((e) => e.windowIndex === windowIndex);
    expect(own.map(({ validation }) => validation['mrr@20'])).toEqual(values.slice(0, stop));
    expect(stop).toBeLessThan(8);
    expect(own.map(({ stopsEarly }) => stopsEarly)).toEqual(values.slice(0, stop).map((_, i) => i === stop - 1));
    expect(results[windowIndex].numEpochs).toBe(stop);
    const seen = values.slice(0, stop);
    const bestEpoch = 1 + seen.indexOf(Math.max(...seen));
    expect(bestEpoch).toBeLessThan(stop);
    // As many epochs and no more give the same weights: schedules that look ahead apart.
    const short = await run({ epochs: bestEpoch });
    expect(results[windowIndex].metrics).toEqual(short.results[windowIndex].metrics);
  }
});

test('early stopping by the training loss needs no validation sessions; by a metric it says that there are none', async () => {
  const { epochs } = await run({ earlyStopping: { metric: 'loss', patience: 1, minDelta: 0.5 } }, undefined, {
    validShare: 0,
  });
  expect(epochs.length).toBeLessThan(16);
  expect(epochs.every(({ validation }) => Object.keys(validation).length === 0)).toBe(true);
  await expect(run({ keepBest: ['hr@1'] }, undefined, { validShare: 0 })).rejects.toThrow(
    /look at the valid part of window 2024-01-02, where no session .*; set split.validShare above 0/,
  );
});

test('validateEvery: every so many epochs, and after the last one', async () => {
  const { epochs } = await run({ keepBest: ['hr@1'], validateEvery: 3 });
  const looked = ofLast(epochs).flatMap(({ epoch, validation }) => ('hr@1' in validation ? [epoch] : []));
  expect(looked).toEqual([3, 6, 8]);
});

test.each([
  [
    { learningRate: 1e30 },
    /gru4rec: the loss (became|exploded to) (NaN|Infinity|[\d.e+]+ \(.* in the first steps\)) at step 2 of window 2024-01-01 \(learning rate 1e\+30\)/,
  ],
  [
    { learningRate: 30, optimizer: 'sgd', explodingLoss: 3, epochs: 60 },
    /gru4rec: the loss exploded to [\d.]+ \([\d.]+ in the first steps\) at step \d+ of window 2024-01-01 \(learning rate 30\)/,
  ],
])('divergence %j: the batch and the weights are kept, and the error holds the batch', async (training, message) => {
  const directory = newFolder();
  const before = tf.memory().numTensors;
  const error = await run(training, directory).catch((reason) => reason);
  expect(error).toBeInstanceOf(DivergenceError);
  expect(error.message).toMatch(message);
  const path = join(directory, 'gru4rec-seed1-diverged.safetensors');
  expect(error.message).toContain(`the batch and the weights are in ${path}`);
  const { tensors, metadata } = readCheckpointFile(path);
  expect(metadata).toMatchObject({
    model: 'gru4rec',
    step: String(error.divergence.step),
    learningRate: String(training.learningRate),
  });
  const [batch] = error.divergence.batches;
  expect([...(tensors.get('batch0/itemIds')?.values ?? [])]).toEqual([...batch.itemIds]);
  expect([...(tensors.get('batch0/targets/itemIds')?.values ?? [])]).toEqual([...batch.targets.itemIds]);
  expect(tensors.get('weights/items')?.shape).toEqual([3 + 11, 5]);
  expect(tf.memory().numTensors).toBe(before);
});
