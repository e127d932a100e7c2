import type { Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { assertIndices, assertShape } from './assert-args.ts';
import { fusedKernel } from './fused-kernels.ts';
import { withGradient } from './with-gradient.ts';

/**
 * Picks rows of a matrix: y[n] = x[rows[n]].
 *
 * @param x [R, D]
 * @param rows [N], each in 0 … R − 1, repeats allowed
 * @returns [N, D]; the gradient adds up the rows that were picked several times
 * @throws when an index lies outside x
 */
export function gatherRows(x: Tensor2D, rows: Int32Array): Tensor2D {
  assertShape('gatherRows', 'x', x, [-1, -1]);
  assertIndices('gatherRows', 'rows', rows, x.shape[0]);
  const numRows = x.shape[0];
  return withGradient(
    [x],
    ([x]) => ({ value: gather(x, rows) }),
    (dy) => [scatter(dy, rows, numRows)],
  );
}

/**
 * Adds rows up into a matrix: y[r] = Σ x[n] over all n with rows[n] = r; rows that nothing points at are 0.
 *
 * @param x [N, D]
 * @param rows [N], each in 0 … numRows − 1
 * @returns [numRows, D]; the gradient of x[n] is that of the row it went to
 * @throws when an index lies outside the result, or there is not one for every row of x
 */
export function scatterRows(x: Tensor2D, rows: Int32Array, numRows: number): Tensor2D {
  assertShape('scatterRows', 'x', x, [rows.length, -1]);
  assertIndices('scatterRows', 'rows', rows, numRows);
  return withGradient(
    [x],
    ([x]) => ({ value: scatter(x, rows, numRows) }),
    (dy) => [gather(dy, rows)],
  );
}

function scatter(dy: Tensor2D, rows: Int32Array, numRows: number): Tensor2D {
  const fused = fusedKernel('scatterRows');
  if (fused) return fused({ dy, rows, numRows });
  const width = dy.shape[1];
  if (rows.length === 0 || width === 0) return tf.zeros([numRows, width]);
  return tf.tidy(() => tf.scatterND(tf.tensor2d(rows, [rows.length, 1], 'int32'), dy, [numRows, width]) as Tensor2D);
}

function gather(x: Tensor2D, rows: Int32Array): Tensor2D {
  const fused = fusedKernel('gatherRows');
  if (fused) return fused({ x, rows });
  if (rows.length === 0) return tf.zeros([0, x.shape[1]]);
  return tf.tidy(() => tf.gather(x, tf.tensor1d(rows, 'int32')) as Tensor2D);
}
