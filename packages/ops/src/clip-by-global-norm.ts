import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { fusedKernel } from './fused-kernels.ts';

/** √(Σ over all tensors of Σ x²); 0 for an empty list. */
export function globalNorm(tensors: readonly Tensor[]): number {
  const fused = fusedKernel('globalNorm');
  if (fused) return fused(tensors);
  if (tensors.length === 0) return 0;
  // Read together: on a GPU every reading waits for all that was started before it.
  const sums = tf.tidy(() => tf.stack(tensors.map((tensor) => tf.sum(tf.square(tensor)))).dataSync<'float32'>());
  return Math.sqrt(sums.reduce((total, sum) => total + sum, 0));
}

/**
 * Scales gradients down together so that their global norm is at most `maxNorm` (Pascanu et al. 2013).
 *
 * @returns the gradients to use, which the caller disposes, and the norm before clipping. Where nothing is clipped, and
 * on backends that scale in place, these are the tensors that were passed in.
 */
export function clipByGlobalNorm<T extends Tensor>(
  gradients: readonly T[],
  maxNorm: number,
): { gradients: readonly T[]; norm: number } {
  if (!(maxNorm > 0)) throw new Error(`clipByGlobalNorm: maxNorm must be > 0, got ${maxNorm}`);
  const norm = globalNorm(gradients);
  if (!(norm > maxNorm)) return { gradients, norm };
  const fused = fusedKernel('scaleInPlace');
  if (fused) {
    fused(gradients, maxNorm / norm);
    return { gradients, norm };
  }
  const clipped = gradients.map((gradient) => {
    const scaled = tf.tidy(() => tf.mul(gradient, maxNorm / norm));
    gradient.dispose();
    return scaled as T;
  });
  return { gradients: clipped, norm };
}
