import { assertRanks } from './assert-ranks.ts';
import { assertTargetRanks, type TargetRanks } from './target-ranks.ts';

/**
 * Precision of a single target: 1/k when the target is among the first k, else 0. It says what `hitRateAtK` says, in the
 * unit of lists.
 *
 * @param ranks [N] 1-based places of the targets
 * @returns [N]
 *
 * @example
 * precisionAtK([1, 3, 4], 2); // → [0.5, 0, 0]
 */
export function precisionAtK(ranks: ArrayLike<number>, k: number): Float64Array {
  assertRanks('precisionAtK', ranks, k);
  return Float64Array.from(ranks, (rank) => (rank <= k ? 1 / k : 0));
}

/**
 * Precision with several targets per list: targets among the first k, over k.
 *
 * @param targetRanks for each of N lists the places of its targets
 * @returns [N]
 *
 * @example
 * precisionOfTargetsAtK([[1, 3], [7]], 4); // → [0.5, 0]
 */
export function precisionOfTargetsAtK(targetRanks: TargetRanks, k: number): Float64Array {
  assertTargetRanks('precisionOfTargetsAtK', targetRanks, k);
  return Float64Array.from(targetRanks, (ranks) => Array.from(ranks).filter((rank) => rank <= k).length / k);
}
