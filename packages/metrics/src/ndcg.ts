import { assertRanks } from './assert-ranks.ts';

/**
 * Normalised discounted cumulative gain of a single target: 1 / log₂(1 + rank) within the first k, else 0 (Järvelin &
 * Kekäläinen 2002 with binary relevance; the ideal gain is 1).
 *
 * @param ranks [N] 1-based places of the targets
 * @returns [N]
 *
 * @example
 * ndcgAtK([1, 3, 4], 3); // → [1, 0.5, 0]
 */
export function ndcgAtK(ranks: ArrayLike<number>, k: number): Float64Array {
  assertRanks('ndcgAtK', ranks, k);
  return Float64Array.from(ranks, (rank) => (rank <= k ? 1 / Math.log2(1 + rank) : 0));
}
