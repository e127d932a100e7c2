import { assertRanks } from './assert-ranks.ts';

/**
 * Hit rate, the recall of a single target: 1 when the target is among the first k, else 0.
 *
 * @param ranks [N] 1-based places of the targets
 * @returns [N]
 *
 * @example
 * hitRateAtK([1, 3, 4], 3); // → [1, 1, 0]
 */
export function hitRateAtK(ranks: ArrayLike<number>, k: number): Float64Array {
  assertRanks('hitRateAtK', ranks, k);
  return Float64Array.from(ranks, (rank) => (rank <= k ? 1 : 0));
}
