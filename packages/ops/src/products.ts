import type { Tensor, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';

/**
 * The wasm backend multiplies transposed operands about ten times slower than plain ones, so there the operand is
 * transposed first; every other backend does it inside the product.
 */
function plain(x: Tensor, isTransposed: boolean): [Tensor, boolean] {
  if (!isTransposed || tf.getBackend() !== 'wasm') return [x, isTransposed];
  const axes = x.shape.map((_, i) => i);
  axes.splice(-2, 2, x.rank - 1, x.rank - 2);
  return [tf.transpose(x, axes), false];
}

/** a · b over the last two axes, either operand transposed. Differentiable. */
export function product<T extends Tensor = Tensor2D>(a: Tensor, b: Tensor, transposeA = false, transposeB = false): T {
  const [left, leftTransposed] = plain(a, transposeA);
  const [right, rightTransposed] = plain(b, transposeB);
  return tf.matMul(left, right, leftTransposed, rightTransposed) as T;
}
