import { assertPredictions } from './assert-predictions.ts';

/**
 * Root of the mean squared error.
 *
 * @example
 * rootMeanSquaredError([1, 5], [1, 2]); // → 2.121…
 */
export function rootMeanSquaredError(predictions: ArrayLike<number>, labels: ArrayLike<number>): number {
  assertPredictions('rootMeanSquaredError', predictions, labels);
  return Math.sqrt(meanOf(labels, (label, n) => (predictions[n] - label) ** 2));
}

/**
 * Mean absolute error.
 *
 * @example
 * meanAbsoluteError([1, 5], [1, 2]); // → 1.5
 */
export function meanAbsoluteError(predictions: ArrayLike<number>, labels: ArrayLike<number>): number {
  assertPredictions('meanAbsoluteError', predictions, labels);
  return meanOf(labels, (label, n) => Math.abs(predictions[n] - label));
}

/**
 * Standard deviation of the labels, whatever was predicted: the root mean squared error of who always says their mean.
 *
 * @example
 * standardDeviation([0, 0], [1, 5]); // → 2
 */
export function standardDeviation(predictions: ArrayLike<number>, labels: ArrayLike<number>): number {
  assertPredictions('standardDeviation', predictions, labels);
  const mean = meanOf(labels, (label) => label);
  return Math.sqrt(meanOf(labels, (label) => (label - mean) ** 2));
}

function meanOf(labels: ArrayLike<number>, of: (label: number, n: number) => number): number {
  let sum = 0;
  for (let n = 0; n < labels.length; n++) sum += of(labels[n], n);
  return sum / labels.length;
}
