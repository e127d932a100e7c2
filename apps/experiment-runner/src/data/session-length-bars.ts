import type { EventsDescription } from '@nimue/data';

/** A class of session lengths. */
export interface LengthBar {
  /** `3`, `11–20`, `501+` */
  readonly label: string;
  readonly numSessions: number;
}

const LAST_LENGTHS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 50, 100, 200, 500, Number.POSITIVE_INFINITY];

/** Sessions by length: one by one up to ten, then in growing classes; classes after the longest session are left out. */
export function sessionLengthBars(lengths: EventsDescription['sessionLengths']): LengthBar[] {
  const longest = lengths.at(-1)?.length ?? 0;
  const bars: LengthBar[] = [];
  let first = 1;
  for (const last of LAST_LENGTHS) {
    if (first > longest) break;
    const from = first;
    const label = last === Number.POSITIVE_INFINITY ? `${from}+` : last === from ? `${from}` : `${from}–${last}`;
    const numSessions = lengths
      .filter(({ length }) => length >= from && length <= last)
      .reduce((sum, bar) => sum + bar.numSessions, 0);
    bars.push({ label, numSessions });
    first = last + 1;
  }
  return bars;
}

/** The length that at least this share of the sessions does not exceed. */
export function lengthQuantile({ sessionLengths, numSessions }: EventsDescription, share: number): number {
  let seen = 0;
  for (const bar of sessionLengths) {
    seen += bar.numSessions;
    if (seen >= share * numSessions) return bar.length;
  }
  return sessionLengths.at(-1)?.length ?? 0;
}

/** Share of all events that belong to the most popular items, at least one. */
export function shareOfTopItems({ itemEvents, numEvents }: EventsDescription, shareOfItems: number): number {
  const numTop = Math.max(1, Math.round(shareOfItems * itemEvents.length));
  let sum = 0;
  for (let i = 0; i < numTop && i < itemEvents.length; i++) sum += itemEvents[i];
  return sum / numEvents;
}
