import { FIRST_ITEM_ID } from '@nimue/batch';
import { z } from 'zod';
import { assertCounts } from './item-distribution.ts';
import { defineNegatives } from './negative-sampler.ts';
import { sessionItems } from './session-marks.ts';

/**
 * The other targets of the batch, each as often as it occurs: popular items more than others, at no cost of drawing. What is
 * expected of an item is N − 1 times its share of the events in the train windows. With `excludeSession` the targets of the row's
 * own session take no part, nor do its other items.
 */
export const inBatch = defineNegatives({
  configSchema: z.strictObject({
    name: z.literal('inBatch'),
    excludeSession: z
      .boolean()
      .default(false)
      .describe("Leaves the items of the row's own session out, past and future ones."),
  }),
  create({ excludeSession }) {
    const totals = new WeakMap<Int32Array, number>();
    const totalOf = (itemCounts: Int32Array) => {
      const known = totals.get(itemCounts);
      if (known !== undefined) return known;
      let total = 0;
      for (let id = FIRST_ITEM_ID; id < itemCounts.length; id++) total += itemCounts[id];
      totals.set(itemCounts, total);
      return total;
    };
    return (request) => {
      const { targetIds, itemCounts, numTableRows } = request;
      return {
        negatives: { shared: targetIds, ...(excludeSession && { excluded: sessionItems(request) }) },
        numNegatives: targetIds.length,
        logExpectedCount(itemId) {
          const counts = assertCounts('inBatch', itemCounts, numTableRows);
          return Math.log((Math.max(1, targetIds.length - 1) * counts[itemId]) / totalOf(counts));
        },
      };
    };
  },
});
