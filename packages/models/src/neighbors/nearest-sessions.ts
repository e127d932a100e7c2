import type { SessionIndex } from './session-index.ts';

/** Sessions that are like the current one, most similar first; equally similar ones most recent first. */
export interface Neighbors {
  /** Session numbers [K]. */
  readonly sessions: Int32Array;
  /** [K] */
  readonly similarities: Float64Array;
  /** For every neighbor, the largest place in the current session of an item that both hold [K]. */
  readonly matchedPlaces: Int32Array;
}

export interface NearestSessionsArgs {
  readonly index: SessionIndex;
  /** Different items of the current session [M]. */
  readonly items: Int32Array;
  /** Place of each item's last click [M]. */
  readonly lastPlaces: Int32Array;
  /** At most so many sessions are compared: the most recent ones that share an item. */
  readonly sampleSize: number;
  /** At most so many of them are returned. */
  readonly k: number;
  /**
   * Similarity of a session that shares the items with the first `numShared` of these indices into `items`; ≤ 0 leaves it out.
   */
  similarity(session: number, shared: Int32Array, numShared: number): number;
}

/**
 * The k most similar of the most recent sessions that share an item with the current one. The lists of sessions per
 * item are merged from their ends, so that the work is bounded by `sampleSize`, not by how often an item was clicked.
 */
export function nearestSessions(args: NearestSessionsArgs): Neighbors {
  const { index, items, lastPlaces, sampleSize, k, similarity } = args;
  const lists = Array.from(items, (item) => index.sessionsOf(item));
  const cursors = lists.map((list) => list.length - 1);
  const shared = new Int32Array(items.length);
  const sessions: number[] = [];
  const similarities: number[] = [];
  const matchedPlaces: number[] = [];
  // Places in these lists. An older session that is as similar as the k-th comes after it, so the worst need not be kept.
  let best: number[] = [];
  let worst = 0;
  const better = (a: number, b: number) => similarities[b] - similarities[a] || sessions[b] - sessions[a];
  for (let compared = 0; compared < sampleSize; compared++) {
    let newest = -1;
    for (let i = 0; i < lists.length; i++) {
      if (cursors[i] >= 0 && lists[i][cursors[i]] > newest) newest = lists[i][cursors[i]];
    }
    if (newest < 0) break;
    let numShared = 0;
    let matchedPlace = 0;
    for (let i = 0; i < lists.length; i++) {
      if (cursors[i] < 0 || lists[i][cursors[i]] !== newest) continue;
      cursors[i]--;
      shared[numShared++] = i;
      if (lastPlaces[i] > matchedPlace) matchedPlace = lastPlaces[i];
    }
    const value = similarity(newest, shared, numShared);
    if (!(value > worst)) continue;
    best.push(sessions.length);
    sessions.push(newest);
    similarities.push(value);
    matchedPlaces.push(matchedPlace);
    if (best.length < 2 * k + 16) continue;
    best = best.sort(better).slice(0, k);
    worst = similarities[best[k - 1]];
  }
  const order = best.length > k ? best.sort(better).slice(0, k) : best;
  return {
    sessions: Int32Array.from(order, (i) => sessions[i]),
    similarities: Float64Array.from(order, (i) => similarities[i]),
    matchedPlaces: Int32Array.from(order, (i) => matchedPlaces[i]),
  };
}
