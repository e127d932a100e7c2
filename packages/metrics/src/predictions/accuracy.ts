import { assertProbabilities } from './assert-predictions.ts';

/**
 * Share of the labels that "yes from one half on" gets right. To be read beside `shareOfYes`: who always says the more
 * frequent answer gets that share.
 *
 * @param probabilities [N] of yes
 * @param labels [N] of 0 and 1
 *
 * @example
 * accuracy([0.7, 0.5, 0.2], [1, 0, 0]); // → 0.666…
 */
export function accuracy(probabilities: ArrayLike<number>, labels: ArrayLike<number>): number {
  assertProbabilities('accuracy', probabilities, labels);
  let right = 0;
  for (let n = 0; n < labels.length; n++) if (probabilities[n] >= 0.5 === (labels[n] === 1)) right++;
  return right / labels.length;
}

/**
 * Share of the labels that are yes, whatever was predicted: what the other figures are to be read beside.
 *
 * @example
 * shareOfYes([0.7, 0.5, 0.2], [1, 0, 0]); // → 0.333…
 */
export function shareOfYes(probabilities: ArrayLike<number>, labels: ArrayLike<number>): number {
  assertProbabilities('shareOfYes', probabilities, labels);
  return Array.from(labels).reduce((sum, label) => sum + label, 0) / labels.length;
}
