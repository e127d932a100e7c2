import { assertRanks } from './assert-ranks.ts';
import { assertTargetRanks, type TargetRanks } from './target-ranks.ts';

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

/**
 * NDCG with several targets per list: Σ 1 / log₂(1 + rank) over the targets within the first k, divided by the best that
 * is possible there, Σ_{i=1}^{min(number of targets, k)} 1 / log₂(1 + i).
 *
 * @param targetRanks for each of N lists the places of its targets
 * @returns [N] in [0, 1]
 *
 * @example
 * ndcgOfTargetsAtK([[1, 2], [3]], 3); // → [1, 0.5]
 */
export function ndcgOfTargetsAtK(targetRanks: TargetRanks, k: number): Float64Array {
  assertTargetRanks('ndcgOfTargetsAtK', targetRanks, k);
  return Float64Array.from(targetRanks, (ranks) => {
    const gain = Array.from(ranks).reduce((sum, rank) => sum + (rank <= k ? 1 / Math.log2(1 + rank) : 0), 0);
    let best = 0;
    for (let i = 1; i <= Math.min(ranks.length, k); i++) best += 1 / Math.log2(1 + i);
    return gain / best;
  });
}
