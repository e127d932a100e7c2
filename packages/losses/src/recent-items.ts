import { FIRST_ITEM_ID } from '@nimue/batch';
import { z } from 'zod';
import { RandomBits } from './negatives/random-bits.ts';

export const recentItemsSchema = z.strictObject({
  recentWindows: z.int().min(1).describe('Items that the newest so many train windows hold take part.'),
  others: z.int().min(0).default(1000).describe('Of all other items so many take part, drawn anew at every step.'),
});

export type RecentItemsConfig = z.infer<typeof recentItemsSchema>;

export interface RecentItemsRequest {
  /** How many train windows ago every item was last met [V], 0 in the newest. */
  readonly itemAges: Int32Array | undefined;
  /** Rows V of the item table, the reserved ones included. */
  readonly numTableRows: number;
  /** Of the step: the same seed draws the same items. */
  readonly seed: number;
  /** [N] */
  readonly targetIds: Int32Array;
}

/**
 * Ids of the items that take part in a step: the recent ones, the targets (which are older where a step trains on many windows), and
 * others drawn without repeats; rising, after the reserved ids, so that they are rows of a smaller table of the same shape.
 *
 * @returns `rows` [M] and the places [N] of the targets in it
 * @throws when the ages are missing, or not one for each row
 */
export function recentItems(
  { itemAges, numTableRows, seed, targetIds }: RecentItemsRequest,
  { recentWindows, others }: RecentItemsConfig,
): { rows: Int32Array; targets: Int32Array } {
  if (itemAges?.length !== numTableRows) {
    const came = itemAges ? `${itemAges.length} entries` : 'nothing';
    throw new Error(
      `losses: \`among\` needs itemHistory.ages, how many train windows ago each of ${numTableRows} items was last met; got ${came}`,
    );
  }
  const taken = new Uint8Array(numTableRows).fill(1, 0, FIRST_ITEM_ID);
  for (const target of targetIds) taken[target] = 1;
  const old = new Int32Array(numTableRows);
  let numOld = 0;
  for (let id = FIRST_ITEM_ID; id < numTableRows; id++) {
    if (itemAges[id] < recentWindows) taken[id] = 1;
    else if (!taken[id]) old[numOld++] = id;
  }
  const random = new RandomBits(seed);
  const numOthers = Math.min(others, numOld);
  for (let i = 0; i < numOthers; i++) {
    const at = i + random.below(numOld - i);
    const drawn = old[at];
    old[at] = old[i];
    taken[drawn] = 1;
  }
  const places = new Int32Array(numTableRows);
  const rows = new Int32Array(numTableRows);
  let numRows = 0;
  for (let id = 0; id < numTableRows; id++) {
    if (!taken[id]) continue;
    places[id] = numRows;
    rows[numRows++] = id;
  }
  return { rows: rows.slice(0, numRows), targets: targetIds.map((id) => places[id]) };
}
