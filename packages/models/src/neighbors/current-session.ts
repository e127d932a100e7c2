import { FIRST_ITEM_ID, type SessionBatch } from '@nimue/batch';

/** What a neighborhood model looks at: a session up to a position, with the place where each item was last clicked. */
export interface CurrentSession {
  /** Number of clicks, repeats included. */
  readonly length: number;
  /** The different items, in no particular order [M]. */
  readonly items: Int32Array;
  /** Place of each item's last click, 1 … length [M]. */
  readonly lastPlaces: Int32Array;
  /** Number of clicks on each item [M]. */
  readonly counts: Int32Array;
  /** When the newest click was; NaN without times. */
  readonly timestampMs: number;
}

/**
 * Reads the session that holds a position, up to and including it. Reserved ids are left out.
 *
 * @param lastClicks only so many of the newest clicks
 */
export function currentSession(
  batch: Pick<SessionBatch, 'itemIds' | 'offsets' | 'timestampsMs'>,
  position: number,
  lastClicks = Number.POSITIVE_INFINITY,
): CurrentSession {
  const clicks = batch.itemIds.subarray(sessionStart(batch.offsets, position), position + 1);
  const known = clicks.filter((id) => id >= FIRST_ITEM_ID);
  const visible = known.length > lastClicks ? known.subarray(known.length - lastClicks) : known;
  const slotOf = new Map<number, number>();
  const lastPlaces: number[] = [];
  const counts: number[] = [];
  visible.forEach((item, i) => {
    let slot = slotOf.get(item);
    if (slot === undefined) {
      slot = slotOf.size;
      slotOf.set(item, slot);
      counts[slot] = 0;
    }
    lastPlaces[slot] = i + 1;
    counts[slot]++;
  });
  return {
    length: visible.length,
    items: Int32Array.from(slotOf.keys()),
    lastPlaces: Int32Array.from(lastPlaces),
    counts: Int32Array.from(counts),
    timestampMs: batch.timestampsMs ? batch.timestampsMs[position] : Number.NaN,
  };
}

/** First position of the session that holds `position`. */
function sessionStart(offsets: Int32Array, position: number): number {
  let low = 0;
  let high = offsets.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (offsets[middle] <= position) low = middle;
    else high = middle - 1;
  }
  return offsets[low];
}
