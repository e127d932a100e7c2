import { assertProbabilities } from './assert-predictions.ts';

/** A probability of 0 or 1 that is wrong would cost infinity. */
const SMALLEST = 1e-15;

/**
 * Log loss, −ln of the probability that was given to what happened, averaged; probabilities are kept 1e-15 away from 0 and 1.
 *
 * @param probabilities [N] of yes
 * @param labels [N] of 0 and 1
 *
 * @example
 * logLoss([0.5, 0.25], [1, 0]); // → 0.490…
 */
export function logLoss(probabilities: ArrayLike<number>, labels: ArrayLike<number>): number {
  assertProbabilities('logLoss', probabilities, labels);
  let sum = 0;
  for (let n = 0; n < labels.length; n++) {
    const probability = labels[n] === 1 ? probabilities[n] : 1 - probabilities[n];
    sum -= Math.log(Math.min(1 - SMALLEST, Math.max(SMALLEST, probability)));
  }
  return sum / labels.length;
}
