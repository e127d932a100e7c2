import { assertRanks } from './assert-ranks.ts';

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
