import type { Tensor2D } from '@tensorflow/tfjs';
import { assertIndices, assertShape } from './assert-args.ts';
import { gather, scatter } from './plain-rows.ts';
import { distinctRows, isByRows, pickRows } from './row-gradients.ts';
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
  if (isByRows(x)) {
    const touched = distinctRows([rows], x.shape[0]);
    return gatherRows(pickRows(x, touched.rows), touched.places[0]);
  }
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
