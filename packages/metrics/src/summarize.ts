/** A mean with its uncertainty. */
export interface Summary {
  readonly mean: number;
  /** Standard deviation of the mean, s / √n with n − 1 in s; NaN for fewer than two values. */
  readonly standardError: number;
  readonly count: number;
}

/**
 * Mean and standard error of the values, which the caller takes to be independent: positions of one window, or the
 * means of several windows.
 *
 * @throws when a value is not finite or there is none: no mean is made up
 *
 * @example
 * summarize([1, 2, 3]); // → { mean: 2, standardError: 0.577…, count: 3 }
 */
export function summarize(values: ArrayLike<number>): Summary {
  const count = values.length;
  if (count === 0) throw new Error('summarize: there are no values; an empty window has no metric');
  let sum = 0;
  for (let i = 0; i < count; i++) {
    if (!Number.isFinite(values[i])) throw new Error(`summarize: values[${i}] is ${values[i]}`);
    sum += values[i];
  }
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < count; i++) squares += (values[i] - mean) ** 2;
  const standardError = count > 1 ? Math.sqrt(squares / (count - 1) / count) : Number.NaN;
  return { mean, standardError, count };
}
