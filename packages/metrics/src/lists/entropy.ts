import { exposures, type RecommendedLists } from './recommended-lists.ts';

/**
 * Shannon entropy, in bits, of which item a random place of a random list shows: −Σ p log₂ p. Its largest value is log₂ of
 * the number of items.
 *
 * @example
 * entropyAtK({ itemIds: Int32Array.of(3, 4, 5, 6), length: 2 }, 2); // → 2
 */
export function entropyAtK(lists: RecommendedLists, k: number): number {
  const counts = [...exposures('entropyAtK', lists, k).values()];
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.reduce((sum, count) => sum - (count / total) * Math.log2(count / total), 0);
}
