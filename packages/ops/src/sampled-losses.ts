import type { Tensor, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';

/**
 * Logits of a batch's candidates: one target and K negatives per row. `isValid` is 1 where a negative counts and 0 where it
 * is the row's own target.
 */
export interface CandidateLogits {
  /** [N, 1] */
  readonly target: Tensor2D;
  /** [N, K] */
  readonly negatives: Tensor2D;
  /** [N, K] of 0 and 1 */
  readonly isValid: Tensor2D;
}

/** Far below any logit, and finite so that differences of two of them are numbers. */
const MASKED = -1e30;

/** −log( eˢ / (eˢ + Σⱼ exp zⱼ) ) → [N, 1] */
export function sampledSoftmaxLosses({ target, negatives, isValid }: CandidateLogits): Tensor2D {
  const logits = tf.concat([target, maskedOut(negatives, isValid)], 1);
  return tf.sub(tf.logSumExp(logits, 1, true), target);
}

/** −β log σ(s) − Σⱼ log(1 − σ(zⱼ)) → [N, 1] */
export function binaryLosses({ target, negatives, isValid }: CandidateLogits, positivePower: number): Tensor2D {
  const positive = tf.mul(softplus(tf.neg(target)), positivePower);
  return tf.add(positive, sumOverNegatives(tf.mul(softplus(negatives), isValid)));
}

/** 1/K Σⱼ −log σ(s − zⱼ) → [N, 1] */
export function bprLosses({ target, negatives, isValid }: CandidateLogits): Tensor2D {
  return meanOverNegatives(softplus(tf.sub(negatives, target)), isValid);
}

/** 1/K Σⱼ ( σ(zⱼ − s) + σ(zⱼ²) ) → [N, 1] */
export function top1Losses({ target, negatives, isValid }: CandidateLogits): Tensor2D {
  return meanOverNegatives(top1Parts(target, negatives), isValid);
}

/** −log Σⱼ wⱼ σ(s − zⱼ) + λ Σⱼ wⱼ zⱼ², w = softmax of z → [N, 1] */
export function bprMaxLosses({ target, negatives, isValid }: CandidateLogits, bpreg: number): Tensor2D {
  const logits = maskedOut(negatives, isValid);
  const won = tf.sub(logits, softplus(tf.sub(negatives, target)));
  const ranking = tf.sub(tf.logSumExp(logits, 1, true), tf.logSumExp(won, 1, true));
  const weights = tf.mul(tf.softmax(logits), isValid);
  const penalty = sumOverNegatives(tf.mul(weights, tf.square(negatives)));
  const hasNegatives = tf.max(isValid, 1, true);
  return tf.mul(tf.add(ranking, tf.mul(penalty, bpreg)), hasNegatives);
}

/** Σⱼ wⱼ ( σ(zⱼ − s) + σ(zⱼ²) ), w = softmax of z → [N, 1] */
export function top1MaxLosses({ target, negatives, isValid }: CandidateLogits): Tensor2D {
  const weights = tf.mul(tf.softmax(maskedOut(negatives, isValid)), isValid);
  return sumOverNegatives(tf.mul(weights, top1Parts(target, negatives)));
}

/** Every logit x becomes tanh x. */
export function throughTanh({ target, negatives, isValid }: CandidateLogits): CandidateLogits {
  return { target: tf.tanh(target), negatives: tf.tanh(negatives), isValid };
}

/** Every logit x below 0 becomes α (eˣ − 1). */
export function throughElu({ target, negatives, isValid }: CandidateLogits, alpha: number): CandidateLogits {
  const elu = (x: Tensor2D) => tf.add(tf.relu(x), tf.mul(alpha, tf.expm1(tf.neg(tf.relu(tf.neg(x)))))) as Tensor2D;
  return { target: elu(target), negatives: elu(negatives), isValid };
}

function top1Parts(target: Tensor2D, negatives: Tensor2D): Tensor {
  return tf.add(tf.sigmoid(tf.sub(negatives, target)), tf.sigmoid(tf.square(negatives)));
}

/** 0 where no negative takes part. */
function meanOverNegatives(x: Tensor, isValid: Tensor2D): Tensor2D {
  return tf.div(sumOverNegatives(tf.mul(x, isValid)), tf.maximum(sumOverNegatives(isValid), 1));
}

function maskedOut(negatives: Tensor2D, isValid: Tensor2D): Tensor2D {
  return tf.where(tf.cast(isValid, 'bool'), negatives, tf.fill(negatives.shape, MASKED));
}

function sumOverNegatives(x: Tensor): Tensor2D {
  return tf.sum(x, 1, true);
}

/** log(1 + eˣ), without overflow and without losing small eˣ to the 1. */
function softplus(x: Tensor): Tensor {
  return tf.add(tf.relu(x), tf.log1p(tf.exp(tf.neg(tf.abs(x)))));
}
