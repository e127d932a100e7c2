import type { Scalar, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';

export interface ReplacedTokenInputs {
  /** Loss of the generator on the hidden items, whatever loss it is trained with. */
  readonly generatorLoss: Scalar;
  /** The discriminator's logits of "this item is not the true one" at every position [T, 1]. */
  readonly logits: Tensor2D;
  /** 1 where the item is not the true one [T]. */
  readonly isReplaced: Uint8Array;
  /** λ of the discriminator. */
  readonly weight: number;
}

/**
 * The pair of losses of replaced-token detection: generator + λ · mean over all T positions, hidden or not, of
 * −y ln σ(z) − (1 − y) ln(1 − σ(z)), y = 1 where the generator's sample took the true item's place.
 *
 * Clark et al. 2020, "ELECTRA", section 2; the paper's λ is 50, Transformers4Rec's 1.
 *
 * @throws when there are not as many labels as logits
 *
 * @example
 * // a discriminator that knows nothing: 1 + 2 ln 2
 * const logits = tf.zeros([3, 1]);
 * const isReplaced = Uint8Array.of(0, 1, 0);
 * replacedTokenLoss({ generatorLoss: tf.scalar(1), logits, isReplaced, weight: 2 }).dataSync() // → Float32Array [2.386…]
 */
export function replacedTokenLoss({ generatorLoss, logits, isReplaced, weight }: ReplacedTokenInputs): Scalar {
  if (logits.shape[0] !== isReplaced.length || logits.shape[1] !== 1) {
    throw new Error(
      `replacedTokenLoss: logits have the shape [${logits.shape}], expected [${isReplaced.length}, 1] for as many labels`,
    );
  }
  if (isReplaced.length === 0) return generatorLoss;
  const labels = tf.tensor2d(Float32Array.from(isReplaced), [isReplaced.length, 1]);
  // softplus(z) − y z
  const discriminator = tf.mean(tf.sub(tf.softplus(logits), tf.mul(labels, logits)));
  return tf.add(generatorLoss, tf.mul(discriminator, weight)) as Scalar;
}
