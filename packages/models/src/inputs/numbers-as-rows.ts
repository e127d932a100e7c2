import type { Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';

/** Columns of numbers side by side [R, C]. */
export function numbersAsRows(columns: readonly ArrayLike<number>[]): Tensor2D {
  const numRows = columns[0]?.length ?? 0;
  const values = new Float32Array(numRows * columns.length);
  columns.forEach((column, c) => {
    for (let r = 0; r < numRows; r++) values[r * columns.length + c] = column[r];
  });
  return tf.tensor2d(values, [numRows, columns.length]);
}
