import { FIRST_ITEM_ID, type SessionBatch } from '@nimue/batch';
import { createCountingModel } from '../counting-model.ts';
import type { SessionsToCount, StatisticalModel } from '../next-item-model.ts';
import { DistinctItems } from './distinct-items.ts';
import { SessionIndex } from './session-index.ts';

/** Items that go with an item, ids rising. */
export interface ItemRow {
  readonly itemIds: Int32Array;
  readonly weights: Float64Array;
}

export interface ItemRowsModel {
  readonly name: string;
  readonly numRows: number;
  /** Keep only so many of the heaviest entries per item; equal weights by rising id. */
  readonly maxEntries: number;
  /** Add up the rows of all items of the session, each as often as it was clicked, or look at the newest item only. */
  readonly over: 'lastItem' | 'session';
  /**
   * Adds what goes with `item` in one past session that holds it, its clicks oldest first, to `weights` [V]; where clicks have weights of
   * their own, with these.
   */
  addSession(clicks: Int32Array, item: number, weights: Float64Array, clickWeights?: readonly number[]): void;
  /** What the sum over the sessions of `item` becomes, entry by entry, where that depends on the items' supports too. */
  normalise?(index: SessionIndex, item: number, other: number, sum: number): number;
}

/** Sums over the sessions of an item so far, which a later window adds to. */
interface CountedRow {
  numSessions: number;
  itemIds: Int32Array;
  sums: Float64Array;
  /** The number of windows after which `heaviest` was cut. */
  cutAfter: number;
  heaviest: ItemRow;
}

const EMPTY: ItemRow = { itemIds: new Int32Array(0), weights: new Float64Array(0) };

/**
 * A model that knows for every item what goes with it. The row of an item is summed up from the past sessions that hold it
 * when it is first asked for, and kept: after a new window only the sessions of that window are added.
 */
export function createItemRowsModel(parts: ItemRowsModel): StatisticalModel {
  const { name, maxEntries, over, addSession, normalise } = parts;
  const index = new SessionIndex();
  const scored = new DistinctItems();
  const rows = new Map<number, CountedRow>();
  let numWindows = 0;
  let weights = new Float64Array(parts.numRows);

  const addNewSessions = (item: number, row: CountedRow): void => {
    const sessions = index.sessionsOf(item);
    if (row.numSessions === sessions.length) return;
    weights.fill(0);
    row.itemIds.forEach((other, i) => {
      weights[other] = row.sums[i];
    });
    for (let s = row.numSessions; s < sessions.length; s++) {
      addSession(index.itemsOf(sessions[s]), item, weights, index.weightsOf(sessions[s]));
    }
    row.numSessions = sessions.length;
    row.itemIds = Int32Array.from(nonZeroItems(weights));
    row.sums = Float64Array.from(row.itemIds, (other) => weights[other]);
  };
  const rowOf = (item: number): ItemRow => {
    let row = rows.get(item);
    if (!row) {
      row = { numSessions: 0, ...EMPTY, sums: EMPTY.weights, cutAfter: -1, heaviest: EMPTY };
      rows.set(item, row);
    }
    if (row.cutAfter !== numWindows) {
      addNewSessions(item, row);
      const { itemIds, sums } = row;
      row.heaviest = heaviest(
        itemIds,
        normalise ? sums.map((sum, i) => normalise(index, item, itemIds[i], sum)) : sums,
        maxEntries,
      );
      row.cutAfter = numWindows;
    }
    return row.heaviest;
  };
  return createCountingModel({
    name,
    numRows: parts.numRows,
    countsInParts: true,
    fitWindow(sessions: SessionsToCount) {
      index.add(sessions);
      numWindows++;
    },
    score(batch, position, scores, onlyScored) {
      scored.clear();
      for (const item of clicksUpTo(batch, position, over)) {
        if (item < FIRST_ITEM_ID) continue;
        const row = rowOf(item);
        for (let i = 0; i < row.itemIds.length; i++) {
          scores[row.itemIds[i]] += row.weights[i];
          scored.add(row.itemIds[i]);
        }
      }
      onlyScored(scored.view);
    },
    onResize(numRows) {
      weights = new Float64Array(numRows);
    },
  });
}

function clicksUpTo(batch: SessionBatch, position: number, over: ItemRowsModel['over']): Int32Array {
  if (over === 'lastItem') return batch.itemIds.subarray(position, position + 1);
  const session = batch.offsets.findLastIndex((offset) => offset <= position);
  return batch.itemIds.subarray(batch.offsets[session], position + 1);
}

function* nonZeroItems(weights: Float64Array): Generator<number> {
  for (let v = FIRST_ITEM_ID; v < weights.length; v++) if (weights[v] > 0) yield v;
}

/** The `maxEntries` heaviest, ids rising. */
function heaviest(itemIds: Int32Array, weights: Float64Array, maxEntries: number): ItemRow {
  const places = Array.from(itemIds.keys()).filter((i) => weights[i] > 0);
  if (places.length > maxEntries) {
    places.sort((a, b) => weights[b] - weights[a] || itemIds[a] - itemIds[b]);
    places.length = maxEntries;
    places.sort((a, b) => a - b);
  }
  return { itemIds: Int32Array.from(places, (i) => itemIds[i]), weights: Float64Array.from(places, (i) => weights[i]) };
}
