import { FIRST_ITEM_ID } from '@nimue/batch';
import type { ItemHistory } from '@nimue/losses';
import type { TrainSessions } from './train-sessions.ts';

/** No window has held the item. */
const NEVER = 2 ** 31 - 1;

/** Before the first train window. */
export const NO_HISTORY: ItemHistory = { counts: new Int32Array(0), ages: new Int32Array(0) };

/**
 * What the train windows say of every item: of the steps before and of one more, as new arrays [V].
 *
 * @param before of ≤ V items
 * @param train what the step trains on, never what is evaluated
 * @param numTableRows V, rows of the item table with that step's new items
 */
export async function addItemHistory(
  before: ItemHistory,
  train: Pick<TrainSessions, 'encodedWindows'>,
  numTableRows: number,
): Promise<ItemHistory> {
  const counts = new Int32Array(numTableRows);
  const ages = new Int32Array(numTableRows).fill(NEVER);
  counts.set(before.counts);
  ages.set(before.ages);
  for await (const { itemIds } of train.encodedWindows()) {
    for (let id = FIRST_ITEM_ID; id < numTableRows; id++) if (ages[id] < NEVER) ages[id]++;
    for (const id of itemIds) {
      if (id < FIRST_ITEM_ID) continue;
      counts[id]++;
      ages[id] = 0;
    }
  }
  return { counts, ages };
}
