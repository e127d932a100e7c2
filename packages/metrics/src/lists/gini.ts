import { exposures, type ListContext, type RecommendedLists } from './recommended-lists.ts';

/**
 * Gini coefficient of how often the items are recommended, items that never are included: 0 when all alike, towards 1
 * when one takes everything. With exposures e sorted rising: Σ_i (2i − n − 1) e_i / (n Σ e).
 *
 * @example
 * // exposures 0, 0, 1, 3: (1 · 1 + 3 · 3) / (4 · 4)
 * giniAtK({ itemIds: Int32Array.of(3, 3, 3, 4), length: 1 }, 1, { numItems: 4 }); // → 0.625
 */
export function giniAtK(lists: RecommendedLists, k: number, { numItems }: Pick<ListContext, 'numItems'>): number {
  const counts = [...exposures('giniAtK', lists, k).values()].sort((a, b) => a - b);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const firstPlace = numItems - counts.length;
  return (
    counts.reduce((sum, count, i) => sum + (2 * (firstPlace + i + 1) - numItems - 1) * count, 0) / (numItems * total)
  );
}
