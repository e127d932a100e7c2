import { z } from 'zod';
import { drawFields, drawFrom } from './draw-from.ts';
import { assertCounts, type ItemDistribution, popularityDistribution } from './item-distribution.ts';
import { defineNegatives } from './negative-sampler.ts';

/** Negatives in proportion to count^alpha (GRU4Rec's `sample_alpha`; 0.75 in word2vec), counted over the train windows. */
export const popularity = defineNegatives({
  configSchema: z.strictObject({
    name: z.literal('popularity'),
    alpha: z.number().min(0).max(1).default(0.75).describe('1: as often as the items occur; 0: all that occur alike.'),
    ...drawFields,
  }),
  create({ alpha, ...options }) {
    // A window's counts stay the same array from its first step to its last.
    const known = new WeakMap<Int32Array, ItemDistribution>();
    return (request) => {
      const itemCounts = assertCounts('popularity', request.itemCounts, request.numTableRows);
      let distribution = known.get(itemCounts);
      if (!distribution) {
        distribution = popularityDistribution(itemCounts, alpha);
        known.set(itemCounts, distribution);
      }
      return drawFrom(distribution, request, options);
    };
  },
});
