import type { Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';

/** Blocks up to this size are inverted in float64 on their own. */
const LARGEST_BLOCK = 64;

/**
 * The inverse of a symmetric positive definite matrix [n, n], by halves: with A the upper left block, B the upper right
 * one and S = C − Bᵀ A⁻¹ B (the Schur complement), the blocks of the inverse are A⁻¹ + A⁻¹B S⁻¹ BᵀA⁻¹, −A⁻¹B S⁻¹ and S⁻¹.
 * Nearly all of the work is matrix products. The caller disposes the result; call inside `tf.tidy`.
 *
 * @throws when a pivot is not positive: the matrix is not positive definite
 */
export function invertPositiveDefinite(matrix: Tensor2D): Tensor2D {
  const n = matrix.shape[0];
  if (n <= LARGEST_BLOCK) return invertBlock(matrix);
  const half = Math.ceil(n / 2);
  return tf.tidy(() => {
    const b = tf.slice(matrix, [0, half], [half, n - half]);
    const inverseOfA = invertPositiveDefinite(tf.slice(matrix, [0, 0], [half, half]));
    const inverseOfAB = tf.matMul(inverseOfA, b);
    const complement = tf.sub(tf.slice(matrix, [half, half], [n - half, n - half]), tf.matMul(b, inverseOfAB, true));
    const lowerRight = invertPositiveDefinite(complement as Tensor2D);
    const upperRight = tf.neg(tf.matMul(inverseOfAB, lowerRight));
    const upperLeft = tf.sub(inverseOfA, tf.matMul(upperRight, inverseOfAB, false, true));
    return tf.concat2d(
      [
        tf.concat2d([upperLeft as Tensor2D, upperRight as Tensor2D], 1),
        tf.concat2d([tf.transpose(upperRight) as Tensor2D, lowerRight], 1),
      ],
      0,
    );
  });
}

/** Gauss–Jordan elimination; a positive definite matrix needs no pivoting. */
function invertBlock(matrix: Tensor2D): Tensor2D {
  const n = matrix.shape[0];
  const a = Float64Array.from(matrix.dataSync());
  for (let pivot = 0; pivot < n; pivot++) {
    const value = a[pivot * n + pivot];
    if (!(value > 0)) {
      throw new Error(`invertPositiveDefinite: pivot ${pivot} is ${value}; the matrix is not positive definite`);
    }
    a[pivot * n + pivot] = 1;
    for (let j = 0; j < n; j++) a[pivot * n + j] /= value;
    for (let i = 0; i < n; i++) {
      if (i === pivot) continue;
      const factor = a[i * n + pivot];
      a[i * n + pivot] = 0;
      for (let j = 0; j < n; j++) a[i * n + j] -= factor * a[pivot * n + j];
    }
  }
  return tf.tensor2d(Float32Array.from(a), [n, n]);
}
