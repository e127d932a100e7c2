import type { Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { assertDropout, assertShape } from './assert-args.ts';
import { type Dropout, fusedKernel } from './fused-kernels.ts';
import { keepMask } from './keep-mask.ts';
import { withGradient } from './with-gradient.ts';

/**
 * Sets a seeded share of the elements to 0 and scales the others by 1 / (1 − rate) (Srivastava et al. 2014).
 *
 * @param x [T, D]
 * @returns [T, D]; x itself, cloned, when the rate is 0
 */
export function dropout(x: Tensor2D, drop: Dropout): Tensor2D {
  assertShape('dropout', 'x', x, [-1, -1]);
  assertDropout('dropout', drop);
  if (drop.rate === 0) return x.clone();
  const fused = fusedKernel('dropout');
  if (!fused) return dropoutReference(x, drop);
  return withGradient(
    [x],
    ([x]) => ({ value: fused({ x, dropout: drop }) }),
    (dy) => [fused({ x: dy, dropout: drop })],
  );
}

/** The same as a product with a mask: what every op's reference uses inside. */
export function dropoutReference(x: Tensor2D, drop: Dropout): Tensor2D {
  if (drop.rate === 0) return x;
  return tf.mul(x, tf.tensor2d(keepMask(drop, x.shape[0], x.shape[1]), x.shape));
}
