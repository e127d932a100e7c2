import { assertRanks } from './assert-ranks.ts';
import { assertTargetRanks, type TargetRanks } from './target-ranks.ts';

/**
 * Reciprocal rank within the first k, else 0; its mean is MRR@k (Voorhees 1999).
 *
 * @param ranks [N] 1-based places of the targets
 * @returns [N]
 *
 * @example
 * mrrAtK([1, 4, 5], 4); // → [1, 0.25, 0]
 */
export function mrrAtK(ranks: ArrayLike<number>, k: number): Float64Array {
  assertRanks('mrrAtK', ranks, k);
  return Float64Array.from(ranks, (rank) => (rank <= k ? 1 / rank : 0));
}

/**
 * Reciprocal rank of the best placed of several targets per list, within the first k, else 0.
 *
 * @param targetRanks for each of N lists the places of its targets
 * @returns [N]
 *
 * @example
 * mrrOfTargetsAtK([[4, 2], [7]], 5); // → [0.5, 0]
 */
export function mrrOfTargetsAtK(targetRanks: TargetRanks, k: number): Float64Array {
  assertTargetRanks('mrrOfTargetsAtK', targetRanks, k);
  return Float64Array.from(targetRanks, (ranks) => {
    const first = Math.min(...Array.from(ranks));
    return first <= k ? 1 / first : 0;
  });
}
