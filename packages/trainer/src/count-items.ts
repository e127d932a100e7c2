import { FIRST_ITEM_ID } from '@nimue/batch';
import type { TrainSessions } from './train-sessions.ts';

/**
 * How often every item occurs in the train windows: counts of the steps before and of one more, as a new array [V].
 *
 * @param before [≤ V], empty at first
 * @param train what the step trains on, never what is evaluated
 * @param numTableRows V, rows of the item table with that step's new items
 */
export async function addItemCounts(
  before: Int32Array,
  train: Pick<TrainSessions, 'encodedWindows'>,
  numTableRows: number,
): Promise<Int32Array> {
  const counts = new Int32Array(numTableRows);
  counts.set(before);
  for await (const { itemIds } of train.encodedWindows()) {
    for (const id of itemIds) if (id >= FIRST_ITEM_ID) counts[id]++;
  }
  return counts;
}
