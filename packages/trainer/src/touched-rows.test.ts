import type { SessionBatch } from '@nimue/batch';
import type { Loss } from '@nimue/losses';
import { models } from '@nimue/models';
import { sampledHead } from '@nimue/ops';
import { assertClose, useTestBackend } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { Optimizer, optimizers, trainingSchema, trainStep } from './index.ts';

beforeAll(() => useTestBackend());

const numRows = 12;
const sampled: Loss = ({ hidden, itemTable, itemBias, targetIds }) =>
  sampledHead(hidden, itemTable, targetIds, { negatives: { shared: Int32Array.of(6, 9) }, bias: itemBias });

const batch: SessionBatch = {
  itemIds: Int32Array.of(3, 4, 4),
  offsets: Int32Array.of(0, 1, 3),
  targets: { positions: Int32Array.of(0, 1, 2), itemIds: Int32Array.of(7, 4, 7) },
};
/** Ids that the batch and its negatives name. */
const touched = new Set([3, 4, 6, 7, 9]);

function trained(options: Record<string, unknown>, numSteps = 3): { items: Float32Array; all: Float32Array } {
  const before = tf.memory().numTensors;
  const config = trainingSchema.parse(options);
  const optimizer = new Optimizer(optimizers[config.optimizer](config));
  const spec = models.sasrec;
  const model = spec.create(spec.configSchema.parse({ hiddenSize: 4, itemBias: true }), { numRows, seed: 5 });
  if (model.kind !== 'neural') throw new Error('expected a neural model');
  const { clipNorm, touchedRowsOnly, learningRate } = config;
  for (let step = 0; step < numSteps; step++) {
    trainStep({ model, loss: sampled, optimizer, batch, seed: step, learningRate, clipNorm, touchedRowsOnly });
  }
  const values = model.parameters.read();
  optimizer.dispose();
  model.dispose();
  expect(tf.memory().numTensors).toBe(before);
  return {
    items: values.get('items') as Float32Array,
    all: Float32Array.from([...values.values()].flatMap((array) => [...array])),
  };
}

test.each(['sgd', 'adagrad'])(
  '%s without momentum and decay moves as it does with whole gradients, clipped or not',
  (optimizer) => {
    for (const clipNorm of [undefined, 0.1]) {
      const options = { optimizer, clipNorm, learningRate: 0.3, epsilon: 1e-3 };
      const whole = trained(options);
      assertClose(optimizer, trained({ ...options, touchedRowsOnly: true }).all, whole.all, 1e-5);
    }
  },
);

test.each([
  { optimizer: 'adam', weightDecay: 0.1 },
  { optimizer: 'adagrad', momentum: 0.5, weightDecay: 0.1 },
  { optimizer: 'sgd', momentum: 0.5, weightDecay: 0.1 },
])('$optimizer with decay moves the rows that a step touched and no others', (options) => {
  const start = trained(options, 0).items;
  const width = start.length / numRows;
  const movedRows = (items: Float32Array) =>
    new Set(
      Array.from({ length: numRows }, (_, row) => row).filter((row) =>
        items.slice(row * width, (row + 1) * width).some((x, i) => x !== start[row * width + i]),
      ),
    );
  expect(movedRows(trained({ ...options, touchedRowsOnly: true }).items)).toEqual(touched);
  expect(movedRows(trained(options).items).size).toBeGreaterThan(touched.size);
});
