import { type ListContext, type RecommendedLists, visitItems } from './recommended-lists.ts';

/**
 * Mean popularity: the average training clicks of the recommended items, as a share of all training clicks.
 *
 * @example
 * meanPopularityAtK({ itemIds: Int32Array.of(3, 4), length: 1 }, 1, { clicks: [0, 0, 0, 3, 1] }); // → 0.5
 */
export function meanPopularityAtK(lists: RecommendedLists, k: number, { clicks }: Pick<ListContext, 'clicks'>): number {
  const total = Array.from(clicks).reduce((sum, count) => sum + count, 0);
  let sum = 0;
  let places = 0;
  visitItems('meanPopularityAtK', lists, k, (item) => {
    sum += clicks[item];
    places++;
  });
  return sum / places / total;
}

/**
 * Popularity lift (Abdollahpouri et al. 2019, "The Unfairness of Popularity Bias in Recommendation", Δ GAP): how much more
 * popular what is recommended is than what the people had clicked before, GAP_lists / GAP_histories − 1, where GAP is the
 * mean over people of the mean popularity of their items. People without a history take no part.
 *
 * @example
 * const context = { clicks: [0, 0, 0, 3, 1], histories: { itemIds: Int32Array.of(4), offsets: Int32Array.of(0, 1) } };
 * popularityLiftAtK({ itemIds: Int32Array.of(3), length: 1 }, 1, context); // → 2
 */
export function popularityLiftAtK(
  lists: RecommendedLists,
  k: number,
  { clicks, histories }: Pick<ListContext, 'clicks' | 'histories'>,
): number {
  const numLists = histories.offsets.length - 1;
  const recommended = new Float64Array(numLists);
  const places = new Int32Array(numLists);
  visitItems('popularityLiftAtK', lists, k, (item, _place, list) => {
    recommended[list] += clicks[item];
    places[list]++;
  });
  let ofLists = 0;
  let ofHistories = 0;
  for (let n = 0; n < numLists; n++) {
    const history = histories.itemIds.subarray(histories.offsets[n], histories.offsets[n + 1]);
    if (history.length === 0 || places[n] === 0) continue;
    ofLists += recommended[n] / places[n];
    ofHistories += history.reduce((sum, item) => sum + clicks[item], 0) / history.length;
  }
  return ofLists / ofHistories - 1;
}
