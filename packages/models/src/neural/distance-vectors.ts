import { maxSessionLength } from '@nimue/batch';
import type { Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';

/**
 * Sinusoids of every distance in a batch (Vaswani et al. 2017, section 3.5, in the order of Transformer-XL: all sines, then
 * all cosines) [2 R + 1, D] with R = longest session − 1: row j − i + R is that of a query i and a key j, r(i − j).
 */
export function distanceVectors(offsets: Int32Array, width: number): Tensor2D {
  const reach = Math.max(0, maxSessionLength(offsets) - 1);
  return sinusoids(2 * reach + 1, width, (row) => reach - row);
}

/** The same of the distances `from` … `to` − 1 [to − from, D]. */
export function vectorsOfDistances(from: number, to: number, width: number): Tensor2D {
  return sinusoids(to - from, width, (row) => from + row);
}

function sinusoids(numRows: number, width: number, distanceOf: (row: number) => number): Tensor2D {
  const half = Math.ceil(width / 2);
  const values = new Float32Array(numRows * width);
  for (let row = 0; row < numRows; row++) {
    for (let column = 0; column < width; column++) {
      const angle = distanceOf(row) / 10000 ** ((2 * (column % half)) / width);
      values[row * width + column] = column < half ? Math.sin(angle) : Math.cos(angle);
    }
  }
  return tf.tensor2d(values, [numRows, width]);
}
