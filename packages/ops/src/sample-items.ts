import { FIRST_ITEM_ID } from '@nimue/batch';
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import { assertShape } from './assert-args.ts';
import { fusedKernel, type SampleItemsArgs } from './fused-kernels.ts';
import { keepHash } from './keep-mask.ts';
import { readingWaits } from './reading-waits.ts';
import { nonFiniteScore, scoreRows } from './score-rows.ts';
import { samplesOnDevice } from './scores-on-device.ts';

export interface SampleItemsOptions {
  /** Added to every item's score [V]. */
  readonly bias?: Tensor1D;
  /** Scores are divided by it: near 0 the best item is drawn, far above 1 any. */
  readonly temperature?: number;
  /** Row n's draw is a function of (seed, n) and its own scores. */
  readonly seed: number;
}

/**
 * Draws an item for every row with probability softmax((hiddenₙ · table + bias) / τ), by inversion: the first item at which
 * the sum of probabilities, by rising id, exceeds a uniform number. Reserved ids are no items. No gradient.
 *
 * @param hidden [N, D]
 * @param table [V, D]
 * @returns item ids [N]
 * @throws when a score is not finite, or the temperature is not above 0
 *
 * @example
 * // one item scores far above the other
 * const table = tf.tensor2d([[0], [0], [0], [1], [99]]);
 * sampleItems(tf.tensor2d([[1], [-1]]), table, { seed: 1 }); // → Int32Array [4, 3]
 */
export function sampleItems(hidden: Tensor2D, table: Tensor2D, options: SampleItemsOptions): Int32Array {
  const { bias, temperature = 1, seed } = options;
  assertShape('sampleItems', 'hidden', hidden, [-1, -1]);
  assertShape('sampleItems', 'table', table, [-1, hidden.shape[1]]);
  if (bias) assertShape('sampleItems', 'bias', bias, [table.shape[0]]);
  if (!(temperature > 0)) throw new Error(`sampleItems: temperature must be > 0, got ${temperature}`);
  if (table.shape[0] <= FIRST_ITEM_ID) throw new Error('sampleItems: the table has no items, only reserved ids');
  const uniforms = Float64Array.from({ length: hidden.shape[0] }, (_, n) => keepHash(seed, n, 0) / 4294967296);
  const args = { hidden, table, bias, temperature, firstRow: FIRST_ITEM_ID, uniforms };
  const fused = fusedKernel('sampleItems');
  if (!fused) return readingWaits() ? samplesOnDevice(args) : sampleItemsReference(args);
  const { itemIds, nonFiniteRow } = fused(args);
  if (nonFiniteRow >= 0) throw nonFiniteScore('sampleItems', nonFiniteRow, args);
  return itemIds;
}

export function sampleItemsReference({ temperature, uniforms, ...args }: SampleItemsArgs): Int32Array {
  const { firstRow } = args;
  const itemIds = new Int32Array(uniforms.length);
  scoreRows('sampleItems', args, (n, scores) => {
    let best = Number.NEGATIVE_INFINITY;
    for (let v = firstRow; v < scores.length; v++) best = Math.max(best, scores[v]);
    let total = 0;
    for (let v = firstRow; v < scores.length; v++) {
      scores[v] = Math.exp((scores[v] - best) / temperature);
      total += scores[v];
    }
    let left = uniforms[n] * total;
    let item = firstRow;
    for (; item < scores.length - 1; item++) {
      left -= scores[item];
      if (left < 0) break;
    }
    itemIds[n] = item;
  });
  return itemIds;
}
