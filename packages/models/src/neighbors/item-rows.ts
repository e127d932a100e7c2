import { FIRST_ITEM_ID, type SessionBatch } from '@nimue/batch';
import { createCountingModel } from '../counting-model.ts';
import type { SessionsToCount, StatisticalModel } from '../next-item-model.ts';
import { SessionIndex } from './session-index.ts';

/** Items that go with an item, heaviest first. */
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
  /** Adds what goes with `item` to `weights` [V], from every past session that holds it. */
  addRow(index: SessionIndex, item: number, weights: Float64Array): void;
}

/**
 * A model that knows for every item what goes with it. The row of an item is computed from the past sessions that hold
 * it when it is first asked for, and kept until the next window: a new window costs what is in it.
 */
export function createItemRowsModel(parts: ItemRowsModel): StatisticalModel {
  const { name, maxEntries, over, addRow } = parts;
  const index = new SessionIndex();
  const rows = new Map<number, ItemRow>();
  let weights = new Float64Array(parts.numRows);
  const rowOf = (item: number): ItemRow => {
    let row = rows.get(item);
    if (!row) {
      weights.fill(0);
      addRow(index, item, weights);
      row = heaviest(weights, maxEntries);
      rows.set(item, row);
    }
    return row;
  };
  return createCountingModel({
    name,
    numRows: parts.numRows,
    fitWindow(sessions: SessionsToCount) {
      index.add(sessions);
      rows.clear();
    },
    score(batch, position, scores) {
      scores.fill(0);
      for (const item of clicksUpTo(batch, position, over)) {
        if (item < FIRST_ITEM_ID) continue;
        const row = rowOf(item);
        for (let i = 0; i < row.itemIds.length; i++) scores[row.itemIds[i]] += row.weights[i];
      }
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

function heaviest(weights: Float64Array, maxEntries: number): ItemRow {
  let itemIds: number[] = [];
  for (let v = FIRST_ITEM_ID; v < weights.length; v++) if (weights[v] > 0) itemIds.push(v);
  if (itemIds.length > maxEntries) {
    itemIds.sort((a, b) => weights[b] - weights[a] || a - b);
    itemIds = itemIds.slice(0, maxEntries);
  }
  return { itemIds: Int32Array.from(itemIds), weights: Float64Array.from(itemIds, (v) => weights[v]) };
}
