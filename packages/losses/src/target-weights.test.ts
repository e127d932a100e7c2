import { packSessions, type SessionBatch } from '@nimue/batch';
import { assertClose, createRandom, randomFloats, useTestBackend } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import type { Loss, LossSpec } from './index.ts';
import * as losses from './losses.ts';

beforeAll(() => useTestBackend());

const [V, D] = [13, 4];
const SESSIONS = [
  [3, 4, 5, 6],
  [7, 8, 9],
  [10, 11, 12, 3],
];
const RANKING = (Object.entries(losses) as [keyof typeof losses, LossSpec][]).filter(
  ([name, { ranksItems }]) => ranksItems !== false && name !== 'weightedSum',
);

/** Next-item targets of the sessions, with weights. */
function batchOf(weights?: Float32Array): SessionBatch {
  const { itemIds, offsets } = packSessions(SESSIONS);
  const positions = Int32Array.from(itemIds.keys()).filter((position) => !offsets.includes(position + 1));
  return {
    itemIds,
    offsets,
    targets: { positions, itemIds: positions.map((position) => itemIds[position + 1]), ...(weights && { weights }) },
  };
}

const N = batchOf().targets.positions.length;
const WEIGHTS = Float32Array.from({ length: N }, (_, n) => [1, 5, 0, 2.5][n % 4]);

function valueAndGradients(loss: Loss, weights?: Float32Array): { value: number; gradient: number[]; table: number[] } {
  const random = createRandom(4);
  const hidden = tf.tensor2d(randomFloats(N * D, random), [N, D]);
  const table = tf.tensor2d(randomFloats(V * D, random), [V, D]);
  const batch = batchOf(weights);
  const { value, grads } = tf.valueAndGrads((h: tf.Tensor, t: tf.Tensor) =>
    loss({
      hidden: h as tf.Tensor2D,
      itemTable: t as tf.Tensor2D,
      targetIds: batch.targets.itemIds,
      seed: 1,
      batch,
      itemHistory: { counts: Int32Array.from({ length: V }, (_, v) => v + 1) },
    }),
  )([hidden, table]);
  return { value: value.dataSync()[0], gradient: [...grads[0].dataSync()], table: [...grads[1].dataSync()] };
}

// With one weight of 1 and else 0 the loss is that of one target: whatever is drawn, all of them together give the weighted mean.
test.each(RANKING)('%s: the loss is the mean of the targets by their weights', (_name, spec) => {
  const loss = spec.create(spec.configSchema.parse({}));
  const rows = Array.from({ length: N }, (_, n) =>
    valueAndGradients(
      loss,
      Float32Array.from({ length: N }, (_, m) => (m === n ? 1 : 0)),
    ),
  );
  const total = WEIGHTS.reduce((sum, weight) => sum + weight, 0);
  const weighted = (pick: (row: (typeof rows)[number]) => number) =>
    rows.reduce((sum, row, n) => sum + (WEIGHTS[n] / total) * pick(row), 0);
  const got = valueAndGradients(loss, WEIGHTS);
  assertClose('loss', [got.value], [weighted(({ value }) => value)], 1e-5);
  assertClose(
    'gradient of hidden',
    got.gradient,
    got.gradient.map((_, i) => weighted(({ gradient }) => gradient[i])),
    1e-5,
  );
  assertClose(
    'gradient of the table',
    got.table,
    got.table.map((_, i) => weighted(({ table }) => table[i])),
    1e-5,
  );

  const plain = valueAndGradients(loss);
  const equal = valueAndGradients(loss, new Float32Array(N).fill(2));
  expect(equal).toEqual(plain);
  assertClose('mean', [plain.value], [rows.reduce((sum, { value }) => sum + value, 0) / N], 1e-5);
});
