import { FIRST_ITEM_ID } from '@nimue/batch';
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { assertIndices, assertOffsets, assertShape } from './assert-args.ts';
import { type ExcludedItems, fusedKernel, type RankOfTargetArgs } from './fused-kernels.ts';
import { readingWaits } from './reading-waits.ts';
import { nonFiniteScore, scoreRows } from './score-rows.ts';
import { ranksOnDevice } from './scores-on-device.ts';
import { UNRANKED } from './unranked.ts';

export { UNRANKED } from './unranked.ts';

export interface RankOfTargetOptions {
  readonly bias?: Tensor1D;
  /** Items that row n may not be recommended. The target itself stays in. */
  readonly excluded?: ExcludedItems;
  /** Where a target stands among the items that score as it does: behind them all (default), or before them all. */
  readonly ties?: 'conservative' | 'optimistic';
}

/**
 * The place of every target in the list of all items by falling score, 1-based. A tie counts against the target:
 * rank = 1 + #{v ≠ target : score(v) ≥ score(target)}; with `ties: 'optimistic'` only better scores count. Reserved ids
 * are no items. Never an N × V array.
 *
 * @param hidden [N, D]
 * @param table [V, D]
 * @param targetIds [N]; a reserved id (an item that the vocabulary lacks) gives `UNRANKED`
 * @throws when a score is not finite, since NaN compares as neither better nor worse
 *
 * @example
 * // rows 0 … 2 of the table are reserved; the items 3, 4, 5 score 0.1, 0.7 and 0.7
 * const table = tf.tensor2d([[0], [0], [0], [0.1], [0.7], [0.7]]);
 * const hidden = tf.tensor2d([[1]]);
 * rankOfTarget(hidden, table, Int32Array.of(4)); // → Int32Array [2]
 */
export function rankOfTarget(
  hidden: Tensor2D,
  table: Tensor2D,
  targetIds: Int32Array,
  options: RankOfTargetOptions = {},
): Int32Array {
  assertRankArgs('rankOfTarget', hidden, table, targetIds, options);
  const { bias, excluded, ties = 'conservative' } = options;
  if (ties === 'optimistic') return optimisticRanks(hidden, table, targetIds, options);
  const args = { hidden, table, targetIds, bias, excluded, firstRow: FIRST_ITEM_ID };
  const fused = fusedKernel('rankOfTarget');
  if (!fused) return readingWaits() ? ranksOnDevice(args) : rankOfTargetReference(args);
  const { ranks, nonFiniteRow } = fused(args);
  if (nonFiniteRow >= 0) throw nonFiniteScore('rankOfTarget', nonFiniteRow, args);
  return ranks;
}

/**
 * 1 + #{score > target}: the items left over when those that score at most as the target does are counted. Negating
 * hidden states and bias negates every score exactly, so that this counts by the very same scores.
 */
function optimisticRanks(
  hidden: Tensor2D,
  table: Tensor2D,
  targetIds: Int32Array,
  { bias, excluded }: RankOfTargetOptions,
): Int32Array {
  const negated = tf.neg(hidden);
  const negatedBias = bias && tf.neg(bias);
  try {
    const fromBelow = rankOfTarget(negated, table, targetIds, { bias: negatedBias, excluded });
    const numItems = table.shape[0] - FIRST_ITEM_ID;
    return fromBelow.map((rank, n) =>
      rank === UNRANKED ? UNRANKED : numItems - numOtherExcluded(excluded, n, targetIds[n]) + 1 - rank,
    );
  } finally {
    tf.dispose([negated, ...(negatedBias ? [negatedBias] : [])]);
  }
}

function numOtherExcluded(excluded: ExcludedItems | undefined, n: number, target: number): number {
  if (!excluded) return 0;
  const others = new Set(excluded.itemIds.subarray(excluded.offsets[n], excluded.offsets[n + 1]));
  others.delete(target);
  for (let reserved = 0; reserved < FIRST_ITEM_ID; reserved++) others.delete(reserved);
  return others.size;
}

export function rankOfTargetReference(args: RankOfTargetArgs): Int32Array {
  const { targetIds, firstRow, excluded } = args;
  const ranks = new Int32Array(targetIds.length);
  scoreRows('rankOfTarget', { ...args, excluded: undefined }, (n, scores) => {
    const target = targetIds[n];
    if (target < firstRow) {
      ranks[n] = UNRANKED;
      return;
    }
    const targetScore = scores[target];
    if (excluded) {
      for (let e = excluded.offsets[n]; e < excluded.offsets[n + 1]; e++) {
        scores[excluded.itemIds[e]] = Number.NEGATIVE_INFINITY;
      }
    }
    scores[target] = Number.NEGATIVE_INFINITY;
    let rank = 1;
    for (let v = firstRow; v < scores.length; v++) if (scores[v] >= targetScore) rank++;
    ranks[n] = rank;
  });
  return ranks;
}

/** @throws when shapes do not fit, a target lies outside the table, or excluded lists are wrong. */
export function assertRankArgs(
  op: string,
  hidden: Tensor2D,
  table: Tensor2D,
  targetIds: Int32Array,
  { bias, excluded }: RankOfTargetOptions,
): void {
  assertShape(op, 'hidden', hidden, [-1, -1]);
  assertShape(op, 'table', table, [-1, hidden.shape[1]]);
  if (bias) assertShape(op, 'bias', bias, [table.shape[0]]);
  assertIndices(op, 'targetIds', targetIds, table.shape[0]);
  if (targetIds.length !== hidden.shape[0]) {
    throw new Error(`${op}: hidden has ${hidden.shape[0]} rows but targetIds has ${targetIds.length}`);
  }
  assertExcluded(op, excluded, hidden.shape[0], table.shape[0]);
}

/** @throws when the excluded lists do not have one entry per row or name ids outside the table. */
export function assertExcluded(
  op: string,
  excluded: ExcludedItems | undefined,
  numRows: number,
  numItems: number,
): void {
  if (!excluded) return;
  if (excluded.offsets.length !== numRows + 1) {
    throw new Error(`${op}: excluded.offsets has length ${excluded.offsets.length}, expected ${numRows + 1}`);
  }
  assertOffsets(op, excluded.offsets, excluded.itemIds.length);
  assertIndices(op, 'excluded.itemIds', excluded.itemIds, numItems);
}
