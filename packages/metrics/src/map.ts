import { assertRanks } from './assert-ranks.ts';
import { assertTargetRanks, type TargetRanks } from './target-ranks.ts';

/**
 * Average precision of a single target, 1 / rank within the first k, else 0; its mean is MAP@k, which for single targets
 * is MRR@k.
 *
 * @param ranks [N] 1-based places of the targets
 * @returns [N]
 *
 * @example
 * averagePrecisionAtK([1, 4, 5], 4); // → [1, 0.25, 0]
 */
export function averagePrecisionAtK(ranks: ArrayLike<number>, k: number): Float64Array {
  assertRanks('averagePrecisionAtK', ranks, k);
  return Float64Array.from(ranks, (rank) => (rank <= k ? 1 / rank : 0));
}

/**
 * Average precision with several targets per list: the precision at every place that holds a target, summed over the
 * first k places and divided by the best that is possible there, min(number of targets, k).
 *
 * @param targetRanks for each of N lists the places of its targets
 * @returns [N] in [0, 1]
 *
 * @example
 * // (1/1 + 2/3) / 3
 * averagePrecisionOfTargetsAtK([[1, 3, 4]], 3); // → [0.5555…]
 */
export function averagePrecisionOfTargetsAtK(targetRanks: TargetRanks, k: number): Float64Array {
  assertTargetRanks('averagePrecisionOfTargetsAtK', targetRanks, k);
  return Float64Array.from(targetRanks, (ranks) => {
    const hits = Array.from(ranks)
      .filter((rank) => rank <= k)
      .sort((a, b) => a - b);
    return hits.reduce((sum, rank, i) => sum + (i + 1) / rank, 0) / Math.min(ranks.length, k);
  });
}
