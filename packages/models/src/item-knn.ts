import { z } from 'zod';
import { defineModel } from './model-spec.ts';
import { DistinctItems } from './neighbors/distinct-items.ts';
import { createItemRowsModel } from './neighbors/item-rows.ts';

export const itemKnnSchema = z.strictObject({
  k: z.int().positive().default(100).describe('Neighbors kept per item.'),
  regularization: z
    .number()
    .min(0)
    .default(20)
    .describe('Added to both supports: similarities of rare items count less.'),
  alpha: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe(
      "Share of the item's own support in the norm: 0.5 is the cosine, 1 the confidence of an association rule.",
    ),
  over: z
    .enum(['lastItem', 'session'])
    .default('lastItem')
    .describe('Similar to the newest item, or to all items of the session.'),
});

/**
 * Item-kNN: items that occur in the same sessions as the newest item (Hidasi et al. 2016, the item-KNN baseline):
 * sim(i, j) = Σ_{sessions with both} clicks on i / ((supp(i) + λ)^α (supp(j) + λ)^(1−α)), supp the number of clicks; an item is
 * not its own neighbor.
 */
export const itemKnn = defineModel({
  kind: 'statistical',
  configSchema: itemKnnSchema,
  create({ k, regularization, alpha, over }, { numRows }) {
    const distinct = new DistinctItems();
    return createItemRowsModel({
      name: 'itemKnn',
      numRows,
      maxEntries: k,
      over,
      addSession(clicks, item, weights) {
        let repeats = 0;
        for (const other of clicks) if (other === item) repeats++;
        for (const other of distinct.of(clicks)) if (other !== item) weights[other] += repeats;
      },
      normalise(index, item, other, sum) {
        const own = (index.eventCountOf(item) + regularization) ** alpha;
        return sum / (own * (index.eventCountOf(other) + regularization) ** (1 - alpha));
      },
    });
  },
});
