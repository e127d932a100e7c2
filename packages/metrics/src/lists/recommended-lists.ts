/** N lists of recommended items, best first. */
export interface RecommendedLists {
  /** List after list [N · length]; 0 stands for "no item left". */
  readonly itemIds: Int32Array;
  /** Places per list. */
  readonly length: number;
}

/** What a metric may know beside the lists; ids are item ids. */
export interface ListContext {
  /** Items that could have been recommended. */
  readonly numItems: number;
  /** Clicks on every item in training, by item id. */
  readonly clicks: ArrayLike<number>;
  /** What the person chose next, one per list [N]. */
  readonly targetIds: Int32Array;
  /** What the person had seen before the list was made: list n saw `itemIds[offsets[n] … offsets[n + 1] − 1]`. */
  readonly histories: { readonly itemIds: Int32Array; readonly offsets: Int32Array };
  /** How different two items are, for diversity. */
  readonly distance?: ItemDistance;
}

/** How different two items are, by their ids; 0 for alike. */
export type ItemDistance = (a: number, b: number) => number;

/** One number for all lists together, of their first k places. */
export type ListMetric = (lists: RecommendedLists, k: number, context: ListContext) => number;

/**
 * Calls `visit(item, place, list)` for the first k places of every list, places from 1.
 *
 * @throws when k exceeds the lists, there is no list, a list ends early in the middle, or an item is in a list twice
 */
export function visitItems(
  metric: string,
  { itemIds, length }: RecommendedLists,
  k: number,
  visit: (item: number, place: number, list: number) => void,
): void {
  if (!Number.isInteger(k) || k < 1 || k > length) {
    throw new Error(`${metric}: k is ${k}, but the lists have ${length} places; ask for longer lists or a smaller k`);
  }
  if (itemIds.length === 0) throw new Error(`${metric}: there are no lists`);
  if (itemIds.length % length !== 0) {
    throw new Error(`${metric}: ${itemIds.length} item ids are not a whole number of lists of ${length}`);
  }
  const seenIn = new Map<number, number>();
  for (let list = 0; list < itemIds.length / length; list++) {
    for (let place = 1; place <= k; place++) {
      const item = itemIds[list * length + place - 1];
      if (item <= 0) continue;
      if (seenIn.get(item) === list) throw new Error(`${metric}: list ${list} holds item ${item} twice`);
      seenIn.set(item, list);
      visit(item, place, list);
    }
  }
}

/** How often every item was recommended within the first k places. */
export function exposures(metric: string, lists: RecommendedLists, k: number): Map<number, number> {
  const counts = new Map<number, number>();
  visitItems(metric, lists, k, (item) => counts.set(item, (counts.get(item) ?? 0) + 1));
  return counts;
}
