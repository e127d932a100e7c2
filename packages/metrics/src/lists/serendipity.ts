import { type ListContext, type RecommendedLists, visitItems } from './recommended-lists.ts';

/**
 * Serendipity: hits that popularity would not have brought (RecTools' definition): per list
 * Σ_{i ≤ k} max(p(i) − p_pop(i), 0) · hit(i) / k with p(i) = (n + 1 − place) / n and p_pop(i) = (n + 1 − popularity rank) / n,
 * where n is the number of items, equally popular items share a rank (the most popular have 1, the next count 2, …) and an
 * item without a click has p_pop = 0. The mean over the lists is returned.
 *
 * @example
 * // item 5 is the least popular of three (rank 3) and hits at place 1: (1 − 1/3) / 1
 * const context = { numItems: 3, clicks: [0, 0, 0, 9, 5, 1], targetIds: Int32Array.of(5) };
 * serendipityAtK({ itemIds: Int32Array.of(5), length: 1 }, 1, context); // → 0.666…
 */
export function serendipityAtK(
  lists: RecommendedLists,
  k: number,
  { numItems, clicks, targetIds }: Pick<ListContext, 'numItems' | 'clicks' | 'targetIds'>,
): number {
  const levels = [...new Set(Array.from(clicks).filter((count) => count > 0))].sort((a, b) => b - a);
  const rankOfCount = new Map(levels.map((count, i) => [count, i + 1]));
  let sum = 0;
  visitItems('serendipityAtK', lists, k, (item, place, list) => {
    if (item !== targetIds[list]) return;
    const popularityRank = rankOfCount.get(clicks[item]);
    const byPopularity = popularityRank === undefined ? 0 : (numItems + 1 - popularityRank) / numItems;
    sum += Math.max((numItems + 1 - place) / numItems - byPopularity, 0) / k;
  });
  return sum / targetIds.length;
}
