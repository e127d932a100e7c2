import { assertTargetRanks, type TargetRanks } from './target-ranks.ts';

/**
 * Recall with several targets per list: the share of the targets that are among the first k. With one target it is the
 * hit rate.
 *
 * @param targetRanks for each of N lists the places of its targets
 * @returns [N]
 *
 * @example
 * recallOfTargetsAtK([[1, 3], [7]], 2); // → [0.5, 0]
 */
export function recallOfTargetsAtK(targetRanks: TargetRanks, k: number): Float64Array {
  assertTargetRanks('recallOfTargetsAtK', targetRanks, k);
  return Float64Array.from(targetRanks, (ranks) => Array.from(ranks).filter((rank) => rank <= k).length / ranks.length);
}
