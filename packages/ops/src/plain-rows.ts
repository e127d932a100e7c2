import type { Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { fusedKernel } from './fused-kernels.ts';

/** y[r] = Σ dy[n] over rows[n] = r, without a gradient of its own. */
export function scatter(dy: Tensor2D, rows: Int32Array, numRows: number): Tensor2D {
  const fused = fusedKernel('scatterRows');
  if (fused) return fused({ dy, rows, numRows });
  const width = dy.shape[1];
  if (rows.length === 0 || width === 0) return tf.zeros([numRows, width]);
  return tf.tidy(() => tf.scatterND(tf.tensor2d(rows, [rows.length, 1], 'int32'), dy, [numRows, width]) as Tensor2D);
}

/** y[n] = x[rows[n]], without a gradient of its own. */
export function gather(x: Tensor2D, rows: Int32Array): Tensor2D {
  const fused = fusedKernel('gatherRows');
  if (fused) return fused({ x, rows });
  if (rows.length === 0) return tf.zeros([0, x.shape[1]]);
  return tf.tidy(() => tf.gather(x, tf.tensor1d(rows, 'int32')) as Tensor2D);
}
