import { FIRST_ITEM_ID } from '@nimue/batch';
import type { TrainSessions } from './train-sessions.ts';

/** No window has held the item. */
const NEVER = 2 ** 31 - 1;

/**
 * How many train windows ago every item was last met, 0 in the newest: ages of the steps before, and the windows of one more, as a
 * new array [V].
 *
 * @param before [≤ V], empty at first
 * @param train what the step trains on, never what is evaluated
 * @param numTableRows V, rows of the item table with that step's new items
 */
export async function addItemAges(
  before: Int32Array,
  train: Pick<TrainSessions, 'encodedWindows'>,
  numTableRows: number,
): Promise<Int32Array> {
  const ages = new Int32Array(numTableRows).fill(NEVER);
  ages.set(before);
  for await (const { itemIds } of train.encodedWindows()) {
    for (let id = FIRST_ITEM_ID; id < numTableRows; id++) if (ages[id] < NEVER) ages[id]++;
    for (const id of itemIds) if (id >= FIRST_ITEM_ID) ages[id] = 0;
  }
  return ages;
}
