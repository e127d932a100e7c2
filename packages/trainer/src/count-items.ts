import { FIRST_ITEM_ID } from '@nimue/batch';

/**
 * Counts of the windows before and of one more, as a new array [V].
 *
 * @param before [≤ V], empty at first
 * @param itemIds events of the next train window, never of one to be evaluated
 * @param numTableRows V, rows of the item table with that window's new items
 */
export function addItemCounts(before: Int32Array, itemIds: Int32Array, numTableRows: number): Int32Array {
  const counts = new Int32Array(numTableRows);
  counts.set(before);
  for (const id of itemIds) if (id >= FIRST_ITEM_ID) counts[id]++;
  return counts;
}
