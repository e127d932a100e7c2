import { maxSessionLength } from '@nimue/batch';
import type { Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';

/**
 * Sinusoids of every distance in a batch (Vaswani et al. 2017, section 3.5, in the order of Transformer-XL: all sines, then
 * all cosines) [2 R + 1, D] with R = longest session − 1: row j − i + R is that of a query i and a key j, r(i − j).
 */
export function distanceVectors(offsets: Int32Array, width: number): Tensor2D {
  const reach = Math.max(0, maxSessionLength(offsets) - 1);
  const half = Math.ceil(width / 2);
  const values = new Float32Array((2 * reach + 1) * width);
  for (let row = 0; row <= 2 * reach; row++) {
    for (let column = 0; column < width; column++) {
      const angle = (reach - row) / 10000 ** ((2 * (column % half)) / width);
      values[row * width + column] = column < half ? Math.sin(angle) : Math.cos(angle);
    }
  }
  return tf.tensor2d(values, [2 * reach + 1, width]);
}
