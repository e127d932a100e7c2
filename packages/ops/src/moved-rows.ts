import type { Tensor, Tensor2D, Variable } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { assertLikeParameter, assertUniqueRows } from './assert-args.ts';
import type { MovedRows } from './fused-kernels.ts';
import { gatherRows } from './gather-rows.ts';

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
  const updates = tf.reshape(part, [rows.length, matrix.shape[1]]);
  const moved = tf.tensorScatterUpdate(matrix, tf.tensor2d(rows, [rows.length, 1], 'int32'), updates);
  variable.assign(tf.reshape(moved, variable.shape));
}

function asMatrix(variable: Variable): Tensor2D {
  const numRows = variable.shape[0];
  return tf.reshape(variable, [numRows, numRows === 0 ? 0 : variable.size / numRows]) as Tensor2D;
}
