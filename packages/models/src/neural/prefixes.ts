import { positionsInSession } from '@nimue/batch';
import { gatherRows, product, scatterRows } from '@nimue/ops';
import type { Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';

/** N questions, each with the events of its session up to and including its position, laid end to end. */
export interface Prefixes {
  /** Where every question stands [N]. */
  readonly positions: Int32Array;
  /** Position of every event of every question, oldest first [P]. */
  readonly members: Int32Array;
  /** The question that each of them belongs to [P]. */
  readonly owners: Int32Array;
  /** Where the events of each question start [N + 1]. */
  readonly offsets: Int32Array;
}

export function prefixesOf(sessionOffsets: Int32Array, positions: Int32Array): Prefixes {
  const places = positionsInSession(sessionOffsets);
  const offsets = new Int32Array(positions.length + 1);
  positions.forEach((position, n) => {
    offsets[n + 1] = offsets[n] + places[position] + 1;
  });
  const members = new Int32Array(offsets[positions.length]);
  const owners = new Int32Array(members.length);
  positions.forEach((position, n) => {
    for (let p = offsets[n]; p < offsets[n + 1]; p++) members[p] = position - (offsets[n + 1] - 1 - p);
    owners.fill(n, offsets[n], offsets[n + 1]);
  });
  return { positions, members, owners, offsets };
}

/** Σ over the events p of a question of weight[p] · x[member p] → [N, D]. @param weights [P, 1] @param x [R, D], a row per member id */
export function weightedSums(
  weights: Tensor2D,
  x: Tensor2D,
  members: Int32Array,
  { owners, positions }: Prefixes,
): Tensor2D {
  const wide = product(weights, tf.ones([1, x.shape[1]]));
  return scatterRows(tf.mul(wide, gatherRows(x, members)), owners, positions.length);
}

/** x with row r multiplied by factors[r]; a constant, without a gradient of its own. */
export function scaleRows(x: Tensor2D, factors: ArrayLike<number>): Tensor2D {
  const [rows, width] = x.shape;
  const wide = new Float32Array(rows * width);
  for (let r = 0; r < rows; r++) wide.fill(factors[r], r * width, (r + 1) * width);
  return tf.mul(x, tf.tensor2d(wide, [rows, width]));
}
