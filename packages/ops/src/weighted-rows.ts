import type { Scalar, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { gatherRows } from './gather-rows.ts';

/**
 * A loss that is a mean over its rows, with a weight for each: Σₙ wₙ lossₙ / Σₙ wₙ; 0 when all weights are 0. Rows of the same
 * weight share one call of the op, so the fused kernels serve weights that take few values, as those of event types do.
 *
 * @param hidden [N, D]
 * @param weights [N], finite and ≥ 0
 * @param meanLoss of some rows: their hidden states and their numbers, rising; `undefined` stands for all of them
 * @throws when there is not one weight for every row, or one is negative or not finite
 */
export function weightedRows(
  op: string,
  hidden: Tensor2D,
  weights: Float32Array,
  meanLoss: (hidden: Tensor2D, rows: Int32Array | undefined) => Scalar,
): Scalar {
  if (weights.length !== hidden.shape[0]) {
    throw new Error(`${op}: there are ${weights.length} weights for ${hidden.shape[0]} rows`);
  }
  const rowsOf = new Map<number, number[]>();
  let total = 0;
  for (let n = 0; n < weights.length; n++) {
    const weight = weights[n];
    if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY)) {
      throw new Error(`${op}: weights[${n}] is ${weight}, expected a finite number ≥ 0`);
    }
    total += weight;
    const rows = rowsOf.get(weight);
    if (rows) rows.push(n);
    else rowsOf.set(weight, [n]);
  }
  if (total === 0) return tf.mul(0, tf.sum(hidden)) as Scalar;
  if (rowsOf.size === 1) return meanLoss(hidden, undefined);
  const parts = [...rowsOf].flatMap(([weight, numbers]) => {
    if (weight === 0) return [];
    const rows = Int32Array.from(numbers);
    return [tf.mul(meanLoss(gatherRows(hidden, rows), rows), (weight * rows.length) / total) as Scalar];
  });
  return parts.reduce((sum, part) => tf.add(sum, part) as Scalar);
}

/** What belongs to some rows of an array with `perRow` numbers a row. */
export function ofRows<Values extends Int32Array | Float32Array>(values: Values, rows: Int32Array, perRow = 1): Values {
  const taken = values.slice(0, rows.length * perRow) as Values;
  rows.forEach((row, r) => {
    taken.set(values.subarray(row * perRow, (row + 1) * perRow), r * perRow);
  });
  return taken;
}
