import { FIRST_ITEM_ID } from '@nimue/batch';
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import { assertShape } from './assert-args.ts';
import { type ExcludedItems, fusedKernel, type TopKArgs } from './fused-kernels.ts';
import { assertExcluded } from './rank-of-target.ts';
import { readingWaits } from './reading-waits.ts';
import { nonFiniteScore, scoreRows } from './score-rows.ts';
import { bestOnDevice } from './scores-on-device.ts';

export interface TopKOptions {
  readonly bias?: Tensor1D;
  readonly excluded?: ExcludedItems;
}

/** The k best items of every row, row after row: `itemIds[n · k + place]`. */
export interface TopItems {
  readonly itemIds: Int32Array;
  readonly scores: Float32Array;
}

/**
 * The k items with the highest scores for every row, best first; equal scores in order of rising id. Reserved and
 * excluded ids never appear; where fewer than k items remain, the rest is id 0 (padding) with score −Infinity.
 *
 * @param hidden [N, D]
 * @param table [V, D]
 * @throws when k exceeds the number of items, or a score is not finite
 */
export function topK(hidden: Tensor2D, table: Tensor2D, k: number, options: TopKOptions = {}): TopItems {
  const { bias, excluded } = options;
  assertShape('topK', 'hidden', hidden, [-1, -1]);
  assertShape('topK', 'table', table, [-1, hidden.shape[1]]);
  if (bias) assertShape('topK', 'bias', bias, [table.shape[0]]);
  assertK('topK', k, table);
  assertExcluded('topK', excluded, hidden.shape[0], table.shape[0]);
  const args = { hidden, table, bias, k, firstRow: FIRST_ITEM_ID, excluded };
  const fused = fusedKernel('topK');
  if (!fused) return readingWaits() ? bestOnDevice(args) : topKReference(args);
  const { itemIds, scores, nonFiniteRow } = fused(args);
  if (nonFiniteRow >= 0) throw nonFiniteScore('topK', nonFiniteRow, args);
  return { itemIds, scores };
}

/** @throws when there are not k items to name. */
export function assertK(op: string, k: number, table: Tensor2D): void {
  const numItems = table.shape[0] - FIRST_ITEM_ID;
  if (!Number.isInteger(k) || k < 1 || k > numItems) {
    throw new Error(`${op}: k is ${k}, but the catalogue has ${numItems} items; choose 1 … ${numItems}`);
  }
}

export function topKReference(args: TopKArgs): TopItems {
  const { hidden, k } = args;
  const itemIds = new Int32Array(hidden.shape[0] * k);
  const scores = new Float32Array(hidden.shape[0] * k).fill(Number.NEGATIVE_INFINITY);
  scoreRows('topK', args, (n, row) => {
    const order = k > LONGEST_INSERTED ? bestBySorting(row, k) : bestByInserting(row, k);
    order.forEach((v, place) => {
      itemIds[n * k + place] = v;
      scores[n * k + place] = row[v];
    });
  });
  return { itemIds, scores };
}

/** Longer lists are sorted: inserting takes as many steps as the list is long. */
const LONGEST_INSERTED = 64;

function bestBySorting(row: Float32Array, k: number): number[] {
  return Array.from(row.keys())
    .filter((v) => row[v] !== Number.NEGATIVE_INFINITY)
    .sort((a, b) => row[b] - row[a] || a - b)
    .slice(0, k);
}

function bestByInserting(row: Float32Array, k: number): number[] {
  const best: number[] = [];
  for (let v = 0; v < row.length; v++) {
    const score = row[v];
    if (score === Number.NEGATIVE_INFINITY || (best.length === k && score <= row[best[k - 1]])) continue;
    let place = best.length < k ? best.length : k - 1;
    // Of equal scores the lower id stays before.
    for (; place > 0 && row[best[place - 1]] < score; place--) best[place] = best[place - 1];
    best[place] = v;
  }
  return best;
}
