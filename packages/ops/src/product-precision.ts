import type { ProductPrecision } from './fused-kernels.ts';

let current: ProductPrecision = 'float32';

/** The precision that ops use whose caller names none: that of the innermost `withProductPrecision`, else `float32`. */
export function productPrecision(): ProductPrecision {
  return current;
}

/**
 * Runs `body` with another precision for the operands of `linear` and `softmaxHead`; their gradients are computed with the
 * same. Sums, biases, activations and the softmax stay in float32, and so does everything on backends without such products.
 *
 * ```ts
 * const { value, grads } = withProductPrecision('bfloat16', () => tf.variableGrads(loss));
 * ```
 *
 * @param body synchronous: the setting ends when it returns or throws
 * @throws when `precision` is neither `float32` nor `bfloat16`
 */
export function withProductPrecision<T>(precision: ProductPrecision, body: () => T): T {
  if (precision !== 'float32' && precision !== 'bfloat16') {
    throw new Error(`withProductPrecision: precision must be 'float32' or 'bfloat16', got '${String(precision)}'`);
  }
  const before = current;
  current = precision;
  try {
    return body();
  } finally {
    current = before;
  }
}
