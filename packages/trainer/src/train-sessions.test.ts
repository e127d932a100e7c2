import { datasetFromSessions, planRollingEvaluation } from '@nimue/data';
import { losses } from '@nimue/losses';
import { models } from '@nimue/models';
import * as tf from '@tensorflow/tfjs';
import { type Contender, evaluationSchema, runContender, type TrainerEvent, trainingSchema } from './index.ts';

const START = Date.UTC(2024, 0, 1);
/** Sessions of 2 to 6 items of 12, over three days. */
const dataset = datasetFromSessions(
  Array.from({ length: 90 }, (_, s) => {
    const items = Array.from({ length: 2 + (s % 5) }, (_, i) => `i${(s + i * i) % 12}`);
    const ms = START + (s % 3) * 86_400_000 + s * 1000;
    return { id: `s${s}`, items, timestampsMs: items.map((_, i) => ms + i) };
  }),
  { windows: { span: 'day' } },
);

beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
});

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
