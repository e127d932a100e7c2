import type { Sessions } from './sessions.ts';

/** One calendar span of the log and how much of it was kept. `numSessions` is 0 for an empty window. */
export interface WindowInfo {
  /** `2017-10-01T03` (hour), `2017-10-01` (day) or `2017-W40` (ISO week), in the plan's time zone. */
  readonly id: string;
  /** First millisecond of the window (UTC). */
  readonly startMs: number;
  /** First millisecond after the window (UTC). */
  readonly endMs: number;
  /** Sessions that start in the window and passed the length filter: the train split. */
  readonly numSessions: number;
  readonly numEvents: number;
}

/**
 * `train` holds every session of the window; `valid` and `test` divide the same sessions between them by a seeded hash
 * of the session id. A model trained on earlier windows is evaluated on `valid` or `test` of a later one, never on a
 * window that it was trained on.
 */
export type SplitName = 'train' | 'valid' | 'test';

export const SPLIT_NAMES: readonly SplitName[] = ['train', 'valid', 'test'];

/** Sessions per window, read one window at a time. */
export interface WindowedDataset {
  readonly windows: readonly WindowInfo[];
  /** Number of different raw items; item codes are 0 … numRawItems - 1, in order of first appearance. */
  readonly numRawItems: number;
  /** False when the log has an order but no times (`hasOnlyOrder` of its sessions). */
  readonly hasTimes: boolean;
  /** Values of the text columns that are carried along, by the column's name; a code is an index. */
  readonly texts: Readonly<Record<string, readonly string[]>>;
  /** @throws when the code is outside the dictionary */
  rawItemId(code: number): string;
  itemCode(rawId: string): number | undefined;
  /** @throws when the window does not exist */
  read(windowIndex: number, split: SplitName): Promise<Sessions>;
}
