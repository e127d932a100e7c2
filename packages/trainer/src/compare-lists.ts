import { overlapAtK } from '@nimue/metrics';
import type { WindowResult } from './trainer-events.ts';

/** How much of what two models recommend is the same. */
export interface ListOverlap {
  readonly a: string;
  readonly b: string;
  /** Places of the lists. */
  readonly k: number;
  /** Share of the places that both fill with the same items, averaged over the lists and seeds. */
  readonly overlap: number;
}

/** Every pair of models whose lists of the last window were kept (`evaluation.overlap`), seed by seed. */
export function compareLists(results: readonly WindowResult[]): ListOverlap[] {
  const kept = results.filter(({ lists }) => lists !== undefined);
  const models = [...new Set(kept.map(({ model }) => model))];
  const pairs = models.flatMap((a, i) => models.slice(i + 1).map((b) => [a, b] as const));
  return pairs.flatMap(([a, b]) => {
    const overlaps = kept.flatMap((first) => {
      const second = kept.find(({ model, seed }) => model === b && seed === first.seed);
      if (first.model !== a || !first.lists || !second?.lists) return [];
      return [{ k: first.lists.length, overlap: overlapAtK(first.lists, second.lists, first.lists.length) }];
    });
    if (overlaps.length === 0) return [];
    return [
      { a, b, k: overlaps[0].k, overlap: overlaps.reduce((sum, each) => sum + each.overlap, 0) / overlaps.length },
    ];
  });
}
