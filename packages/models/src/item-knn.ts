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
 *
 * Where events have weights (`sessions.eventWeights`), supp is the sum of the weights, and a click on i of weight w counts √(w w′), w′
 * being the heaviest click on j in that session: weights that are all the same change nothing but the share of λ.
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
      addSession(clicks, item, weights, clickWeights) {
        let repeats = 0;
        clicks.forEach((other, c) => {
          if (other === item) repeats += Math.sqrt(clickWeights?.[c] ?? 1);
        });
        const heaviest = clickWeights && heaviestClicks(clicks, clickWeights);
        for (const other of distinct.of(clicks)) {
          if (other !== item) weights[other] += repeats * Math.sqrt(heaviest?.get(other) ?? 1);
        }
      },
      normalise(index, item, other, sum) {
        const own = (index.weightSumOf(item) + regularization) ** alpha;
        return sum / (own * (index.weightSumOf(other) + regularization) ** (1 - alpha));
      },
    });
  },
});

/** The largest weight of a click on each item of a session. */
function heaviestClicks(clicks: Int32Array, weights: readonly number[]): Map<number, number> {
  const heaviest = new Map<number, number>();
  clicks.forEach((item, c) => {
    heaviest.set(item, Math.max(heaviest.get(item) ?? 0, weights[c]));
  });
  return heaviest;
}
