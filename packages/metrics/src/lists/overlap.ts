import { type RecommendedLists, visitItems } from './recommended-lists.ts';

/**
 * Overlap of two models: the share of the first k places that both fill with the same items, averaged over the lists.
 *
 * @throws when the two do not have the same number of lists
 *
 * @example
 * const a = { itemIds: Int32Array.of(3, 4), length: 2 };
 * overlapAtK(a, { itemIds: Int32Array.of(5, 3), length: 2 }, 2); // → 0.5
 */
export function overlapAtK(a: RecommendedLists, b: RecommendedLists, k: number): number {
  const numLists = a.itemIds.length / a.length;
  if (numLists !== b.itemIds.length / b.length) {
    throw new Error(`overlapAtK: ${numLists} lists cannot be compared with ${b.itemIds.length / b.length}`);
  }
  const inA = new Set<number>();
  const width = 2 ** 32;
  visitItems('overlapAtK', a, k, (item, _place, list) => inA.add(list * width + item));
  let shared = 0;
  visitItems('overlapAtK', b, k, (item, _place, list) => {
    if (inA.has(list * width + item)) shared++;
  });
  return shared / (numLists * k);
}
