import { exposures, type ListContext, type RecommendedLists } from './recommended-lists.ts';

/**
 * Catalogue coverage: the share of all items that appear in at least one list (Ge et al. 2010, "Beyond Accuracy").
 *
 * @example
 * coverageAtK({ itemIds: Int32Array.of(3, 4, 3, 5), length: 2 }, 2, { numItems: 6 }); // → 0.5
 */
export function coverageAtK(lists: RecommendedLists, k: number, { numItems }: Pick<ListContext, 'numItems'>): number {
  return exposures('coverageAtK', lists, k).size / numItems;
}
