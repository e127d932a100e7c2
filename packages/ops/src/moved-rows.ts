import type { Tensor, Tensor2D, Variable } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { assertLikeParameter, assertUniqueRows } from './assert-args.ts';
import type { MovedRows } from './fused-kernels.ts';
import { gatherRows, scatterRows } from './gather-rows.ts';
import { readingWaits } from './reading-waits.ts';

/** @throws when the gradient does not fit the parameter, or its rows when only those move */
export function assertGradient(op: string, gradient: Tensor, parameter: Variable, rows: MovedRows | undefined): void {
  if (!rows) {
    assertLikeParameter(op, 'gradient', gradient, parameter);
    return;
  }
  if (parameter.rank === 0) throw new Error(`${op}: rows needs a parameter with rows, '${parameter.name}' is a scalar`);
  assertUniqueRows(op, rows, parameter.shape[0]);
  const expected = [rows.length, ...parameter.shape.slice(1)];
  if (gradient.shape.join() !== expected.join()) {
    throw new Error(
      `${op}: the gradient for ${rows.length} rows of '${parameter.name}' has shape [${gradient.shape.join(', ')}], expected [${expected.join(', ')}]`,
    );
  }
}

/** What an update reads: the whole variable, or its rows that move. */
export function movingPart(variable: Variable, rows: MovedRows | undefined): Tensor {
  if (!rows) return variable;
  return tf.reshape(gatherRows(asMatrix(variable), rows), [rows.length, ...variable.shape.slice(1)]);
}

/** Puts the updated part back; the other rows keep their bits. */
export function moveTo(variable: Variable, rows: MovedRows | undefined, part: Tensor): void {
  if (!rows) {
    variable.assign(part);
    return;
  }
  if (rows.length === 0) return;
  const matrix = asMatrix(variable);
  const [numRows, width] = matrix.shape;
  const updates = tf.reshape(part, [rows.length, width]) as Tensor2D;
  if (readingWaits()) {
    // No mask as large as the table crosses the bus.
    const moved = tf.tensorScatterUpdate(matrix, tf.tensor2d(rows, [rows.length, 1], 'int32'), updates);
    variable.assign(tf.reshape(moved, variable.shape));
    return;
  }
  // Not so here: the cpu backend's kernel for it writes into its input, which others may hold too.
  const isMoved = new Uint8Array(numRows * width);
  for (const row of rows) isMoved.fill(1, row * width, (row + 1) * width);
  const mask = tf.tensor(isMoved, [numRows, width], 'bool');
  variable.assign(tf.reshape(tf.where(mask, scatterRows(updates, rows, numRows), matrix), variable.shape));
}

function asMatrix(variable: Variable): Tensor2D {
  const numRows = variable.shape[0];
  return tf.reshape(variable, [numRows, numRows === 0 ? 0 : variable.size / numRows]) as Tensor2D;
}
