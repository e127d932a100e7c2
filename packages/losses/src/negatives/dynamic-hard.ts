import { FIRST_ITEM_ID } from '@nimue/batch';
import { type ExcludedItems, gatherRows, topK } from '@nimue/ops';
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { MAX_NEGATIVES } from './draw-from.ts';
import { defineNegatives, type NegativesRequest } from './negative-sampler.ts';
import { popularity } from './popularity.ts';
import { createSessionMarks } from './session-marks.ts';
import { uniform } from './uniform.ts';

/**
 * The best scored items of a random pool, for every row its own (Zhang et al. 2013, dynamic negative sampling): what the
 * current model confuses with the target. The pool is drawn once a batch; repeats in it count once. Their probabilities are
 * unknown, so no correction goes with them. A row with fewer items left than K has its target in the empty places, which
 * the head leaves out.
 */
export const dynamicHard = defineNegatives({
  configSchema: z
    .strictObject({
      name: z.literal('dynamicHard'),
      count: z.int().min(1).max(MAX_NEGATIVES).default(16).describe('Negatives K per row.'),
      poolSize: z
        .int()
        .min(1)
        .max(65536)
        .default(1024)
        .describe('Items drawn per batch, among which every row has its K best.'),
      alpha: z
        .number()
        .min(0)
        .max(1)
        .default(0)
        .describe('The pool is drawn in proportion to count^alpha; 0: all items alike.'),
      excludeSession: z
        .boolean()
        .default(false)
        .describe("Leaves the items of the row's own session out, past and future ones."),
    })
    .superRefine(({ count, poolSize }, context) => {
      if (count <= poolSize) return;
      const message = `expected at most poolSize, which is ${poolSize}`;
      context.addIssue({ code: 'custom', path: ['count'], message });
    }),
  create({ count, poolSize, alpha, excludeSession }) {
    const fields = { count: poolSize, per: 'batch', excludeSession: false } as const;
    const drawPool =
      alpha > 0
        ? popularity.create({ name: 'popularity', alpha, ...fields })
        : uniform.create({ name: 'uniform', repeats: true, ...fields });
    return (request) => {
      const { targetIds, scores } = request;
      if (!scores)
        throw new Error("negatives 'dynamicHard': the model's scores are missing; pass hidden and itemTable");
      const drawn = drawPool(request).negatives;
      const pool = [...new Set('shared' in drawn ? drawn.shared : drawn.own)];
      // Rows of the pool's table, reserved rows included, so that places in it look like item ids.
      const rows = Int32Array.from([...Array(FIRST_ITEM_ID).keys(), ...pool]);
      const excluded = excludedPlaces(request, pool, excludeSession);
      const k = Math.min(count, pool.length);
      const places = bestPlaces(scores, rows, k, excluded);
      const own = new Int32Array(targetIds.length * count);
      for (let n = 0, i = 0; n < targetIds.length; n++) {
        for (let j = 0; j < count; j++, i++) {
          const place = j < k ? places[n * k + j] : 0;
          own[i] = place < FIRST_ITEM_ID ? targetIds[n] : rows[place];
        }
      }
      return { negatives: { own }, numNegatives: count };
    };
  },
});

/** Item ids of the pool's own table, K for every row, best first; 0 where no item is left. */
function bestPlaces(
  { hidden, itemTable, itemBias }: NonNullable<NegativesRequest['scores']>,
  rows: Int32Array,
  k: number,
  excluded: ExcludedItems,
): Int32Array {
  let places: Int32Array = new Int32Array(0);
  tf.tidy(() => {
    const biases = itemBias && gatherRows(tf.reshape(itemBias, [-1, 1]) as Tensor2D, rows);
    const bias = biases && (tf.reshape(biases, [rows.length]) as Tensor1D);
    places = topK(hidden, gatherRows(itemTable, rows), k, { bias, excluded }).itemIds;
  });
  return places;
}

/** Places of the pool's table that a row must not have: its target and, when asked, its session's items. */
function excludedPlaces(request: NegativesRequest, pool: readonly number[], excludeSession: boolean): ExcludedItems {
  const { targetIds } = request;
  const placeOf = new Map(pool.map((id, i) => [id, FIRST_ITEM_ID + i]));
  const session = excludeSession ? createSessionMarks(request) : undefined;
  const offsets = new Int32Array(targetIds.length + 1);
  const places: number[] = [];
  for (let n = 0; n < targetIds.length; n++) {
    session?.moveTo(n);
    for (const id of session?.items() ?? [targetIds[n]]) {
      const place = placeOf.get(id);
      if (place !== undefined) places.push(place);
    }
    offsets[n + 1] = places.length;
  }
  return { offsets, itemIds: Int32Array.from(places) };
}
