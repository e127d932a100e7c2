import { type ListContext, type RecommendedLists, visitItems } from './recommended-lists.ts';

/**
 * Novelty: mean self-information of the recommended items, −log₂(clicks on the item / all clicks) in bits (Zhou et al.
 * 2010, "Solving the apparent diversity-accuracy dilemma", eq. 4). An item without a training click counts as if it had one.
 *
 * @example
 * noveltyAtK({ itemIds: Int32Array.of(3, 4), length: 2 }, 2, { clicks: [0, 0, 0, 2, 1, 1] }); // → 1.5
 */
export function noveltyAtK(lists: RecommendedLists, k: number, { clicks }: Pick<ListContext, 'clicks'>): number {
  const total = Array.from(clicks).reduce((sum, count) => sum + count, 0);
  let bits = 0;
  let places = 0;
  visitItems('noveltyAtK', lists, k, (item) => {
    bits -= Math.log2(Math.max(1, clicks[item]) / total);
    places++;
  });
  return bits / places;
}
