import { type GruWeights, linear } from '@nimue/ops';
import type { Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';

/**
 * One step of gated recurrent units from a given state, by the formula of `gru` of `@nimue/ops`.
 *
 * @param x [L, I]
 * @param state [L, D]
 * @returns [L, D]
 */
export function gruStep(x: Tensor2D, state: Tensor2D, weights: GruWeights): Tensor2D {
  const fromInput = tf.split(linear(x, weights.inputWeights, weights.inputBias), 3, 1);
  const fromState = tf.split(linear(state, weights.recurrentWeights, weights.recurrentBias), 3, 1);
  const reset = tf.sigmoid(tf.add(fromInput[0], fromState[0]));
  const update = tf.sigmoid(tf.add(fromInput[1], fromState[1]));
  const candidate = tf.tanh(tf.add(fromInput[2], tf.mul(reset, fromState[2])));
  return tf.add(candidate, tf.mul(update, tf.sub(state, candidate))) as Tensor2D;
}
