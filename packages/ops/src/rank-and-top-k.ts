import { FIRST_ITEM_ID } from '@nimue/batch';
import type { Tensor2D } from '@tensorflow/tfjs';
import { fusedKernel } from './fused-kernels.ts';
import { assertRankArgs, type RankOfTargetOptions, rankOfTargetReference } from './rank-of-target.ts';
import { readingWaits } from './reading-waits.ts';
import { nonFiniteScore } from './score-rows.ts';
import { ranksAndBestOnDevice } from './scores-on-device.ts';
import { assertK, type TopItems, topKReference } from './top-k.ts';

/** The rank of every target and the k best items of its row. */
export interface RankedTopItems extends TopItems {
  /** [N] */
  readonly ranks: Int32Array;
}

/**
 * What `rankOfTarget` and `topK` give, by one pass over the catalogue: every score is computed once. An excluded item
 * never appears among the best, not even where it is the row's target; the target's rank is counted all the same.
 *
 * @param hidden [N, D]
 * @param table [V, D]
 * @param targetIds [N]; a reserved id (an item that the vocabulary lacks) gives `UNRANKED`
 * @throws when k exceeds the number of items, or a score is not finite
 *
 * @example
 * // rows 0 … 2 of the table are reserved; the items 3, 4, 5 score 0.1, 0.7 and 0.7
 * const table = tf.tensor2d([[0], [0], [0], [0.1], [0.7], [0.7]]);
 * const { ranks, itemIds } = rankAndTopK(tf.tensor2d([[1]]), table, Int32Array.of(4), 2);
 * ranks; // → Int32Array [2]
 * itemIds; // → Int32Array [4, 5]
 */
export function rankAndTopK(
  hidden: Tensor2D,
  table: Tensor2D,
  targetIds: Int32Array,
  k: number,
  options: Omit<RankOfTargetOptions, 'ties'> = {},
): RankedTopItems {
  assertRankArgs('rankAndTopK', hidden, table, targetIds, options);
  assertK('rankAndTopK', k, table);
  const args = { ...options, hidden, table, targetIds, k, firstRow: FIRST_ITEM_ID };
  const fused = fusedKernel('rankAndTopK');
  if (!fused) {
    if (readingWaits()) return ranksAndBestOnDevice(args);
    return { ranks: rankOfTargetReference(args), ...topKReference(args) };
  }
  const { ranks, itemIds, scores, nonFiniteRow } = fused(args);
  if (nonFiniteRow >= 0) throw nonFiniteScore('rankAndTopK', nonFiniteRow, args);
  return { ranks, itemIds, scores };
}
