import { objectives } from '@nimue/data';
import { losses } from '@nimue/losses';
import { models, type NeuralModel } from '@nimue/models';
import * as tf from '@tensorflow/tfjs';
import { estimateMemoryOfWindow, trainingSchema } from './index.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
});

/** 256 sessions of 5 items. */
const sessions = {
  itemIds: Int32Array.from({ length: 1280 }, (_, i) => 3 + ((i * 7) % 20)),
  offsets: Int32Array.from({ length: 257 }, (_, s) => 5 * s),
};

function estimate(training: Record<string, unknown>, numCopies?: number) {
  const spec = models.gru4rec;
  const model = spec.create(spec.configSchema.parse({ hiddenSize: 4 }), { numRows: 23, seed: 1 }) as NeuralModel;
  const before = model.parameters.read();
  const found = estimateMemoryOfWindow(
    {
      model,
      loss: losses.crossEntropy.create(losses.crossEntropy.configSchema.parse({})),
      objective: objectives.causal.create({}),
      sessions,
      config: trainingSchema.parse(training),
      seed: 1,
    },
    2,
    numCopies,
  );
  expect(model.parameters.read()).toEqual(before);
  const { numWeights } = model.parameters;
  model.dispose();
  return { found, numWeights };
}

test('weights, optimizer and average by counting; the peak is the sum of the parts', () => {
  const before = tf.memory().numTensors;
  const { found, numWeights } = estimate({ batchSize: 16, averageDecay: 0.9 });
  expect(found).toMatchObject({ weights: 4 * numWeights, optimizer: 8 * numWeights, average: 8 * numWeights });
  if (!found) throw new Error('expected an estimate');
  const { optimizer, average, copies, step, process: now, peak } = found;
  expect(copies).toBe(0);
  expect(peak).toBe(now + optimizer + average + step);
  // The gradients alone are as large as the weights.
  expect(step).toBeGreaterThan(4 * numWeights);
  expect(tf.memory().numTensors).toBe(before);
});

test('copies for checkpoints and best moments hold weights, optimizer and average', () => {
  const { found, numWeights } = estimate({ batchSize: 16, averageDecay: 0.9 }, 3);
  expect(found?.copies).toBe(3 * (4 + 8 + 4) * numWeights);
  expect(found?.peak).toBe(found && found.process + found.optimizer + found.average + found.copies + found.step);
});

test('a step grows with its largest batch in a straight line', () => {
  const stepOf = (batchSize: number) => estimate({ batchSize }).found?.step ?? Number.NaN;
  // Large enough that the fullest moment is one of activations: below, it is one of gradients, which do not grow.
  const [one, two, four] = [stepOf(64), stepOf(128), stepOf(256)];
  expect(two).toBeGreaterThan(one);
  expect((four - two) / (two - one)).toBeCloseTo(2, 1);
});

test('session-parallel training: an event per lane and step', () => {
  const stepOf = (training: Record<string, unknown>) => estimate(training).found?.step ?? Number.NaN;
  const lanes = (batchSize: number) => stepOf({ sessionParallel: true, batchSize });
  expect((lanes(256) - lanes(128)) / (lanes(128) - lanes(64))).toBeCloseTo(2, 1);
});
