import { criticalT, twoSidedP } from './student-t.ts';

/** How two rows of paired values differ. */
export interface Comparison {
  /** Mean of a − b. */
  readonly difference: number;
  /** Bounds of the interval of the mean difference at 1 − α / comparisons: by bootstrap, beyond 5,000 pairs by the t test. */
  readonly low: number;
  readonly high: number;
  /** Two-sided p-value of the paired t test, before any correction. */
  readonly p: number;
  /** p times the number of comparisons, at most 1 (Bonferroni). */
  readonly correctedP: number;
  /** Number of pairs. */
  readonly count: number;
  /** 'a' or 'b' when both the corrected t test and the bootstrap interval say so; otherwise undecided. */
  readonly better: 'a' | 'b' | 'undecided';
}

/** Beyond so many pairs a bootstrap says nothing that the t test does not, and takes seconds. */
const MAX_BOOTSTRAP_PAIRS = 5000;

export interface ComparisonOptions {
  /** Comparisons made together: the significance level is divided by it (Bonferroni). Default 1. */
  readonly numComparisons?: number;
  /** Default 0.05. */
  readonly alpha?: number;
  /** Bootstrap samples. Default 2,000. */
  readonly numSamples?: number;
  /** Default 1. */
  readonly seed?: number;
}

/**
 * Compares two models on the same targets or windows: paired t test with Bonferroni's correction and the percentile
 * bootstrap of the mean difference (Efron & Tibshirani 1993, §13.3). One of them is called better only when both agree.
 * Of more than 5,000 pairs the mean is normal for all that matters, and the interval is that of the t test.
 *
 * @param a values of one model [N]
 * @param b values of the other on the same targets, in the same order [N]
 * @throws when the lengths differ, there are fewer than two pairs, or a value is not finite
 *
 * @example
 * comparePaired([3, 4, 5, 6], [1, 2.1, 2.9, 4.2]).better; // → 'a'
 * comparePaired([1, 2, 3, 4], [2, 1, 4, 3]).better; // → 'undecided'
 */
export function comparePaired(a: ArrayLike<number>, b: ArrayLike<number>, options: ComparisonOptions = {}): Comparison {
  const { numComparisons = 1, alpha = 0.05, numSamples = 2000, seed = 1 } = options;
  const count = a.length;
  if (count !== b.length) throw new Error(`comparePaired: ${count} values cannot be paired with ${b.length}`);
  if (count < 2) throw new Error(`comparePaired: ${count} pairs are too few to tell chance from difference`);
  const differences = Float64Array.from(a, (value, i) => value - b[i]);
  differences.forEach((value, i) => {
    if (!Number.isFinite(value)) throw new Error(`comparePaired: pair ${i} is ${a[i]} and ${b[i]}`);
  });
  const difference = mean(differences);
  const squares = differences.reduce((sum, value) => sum + (value - difference) ** 2, 0);
  const standardError = Math.sqrt(squares / (count - 1) / count);
  const p = difference === 0 ? 1 : twoSidedP(difference / standardError, count - 1);
  const correctedP = Math.min(1, p * numComparisons);
  const level = alpha / numComparisons;
  const margin = () => criticalT(level, count - 1) * standardError;
  const [low, high] =
    count > MAX_BOOTSTRAP_PAIRS
      ? [difference - margin(), difference + margin()]
      : bootstrapInterval(differences, level, numSamples, seed);
  const isSignificant = correctedP < alpha && (low > 0 || high < 0);
  const better = isSignificant ? (difference > 0 ? 'a' : 'b') : 'undecided';
  return { difference, low, high, p, correctedP, count, better };
}

function bootstrapInterval(values: Float64Array, alpha: number, numSamples: number, seed: number): [number, number] {
  const random = mulberry32(seed);
  const means = new Float64Array(numSamples);
  for (let s = 0; s < numSamples; s++) {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[Math.floor(random() * values.length)];
    means[s] = sum / values.length;
  }
  means.sort();
  const at = (share: number) => means[Math.min(numSamples - 1, Math.max(0, Math.floor(share * numSamples)))];
  return [at(alpha / 2), at(1 - alpha / 2)];
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** A small seeded generator of numbers in [0, 1): Tommy Ettinger's mulberry32. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
