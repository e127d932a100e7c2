import { product } from '@nimue/ops';
import type { Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';

/** exp(zᵣ) / Σ exp(zᵣ), row by row [R, K]; the largest of a row is subtracted first, as a constant. */
export function softmaxRows(z: Tensor2D): Tensor2D {
  const [numRows, width] = z.shape;
  const values = z.dataSync() as Float32Array;
  const shifts = new Float32Array(numRows * width);
  for (let r = 0; r < numRows; r++) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < width; k++) largest = Math.max(largest, values[r * width + k]);
    shifts.fill(largest, r * width, (r + 1) * width);
  }
  const exponentials = tf.exp(tf.sub(z, tf.tensor2d(shifts, z.shape))) as Tensor2D;
  // The sum of a row, in each of its places.
  const sums = product(exponentials, tf.ones([width, width]));
  return tf.div(exponentials, sums);
}
