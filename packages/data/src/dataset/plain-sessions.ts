import { carriedColumns } from './plain-columns.ts';
import type { RawColumn } from './raw-columns.ts';
import type { Sessions } from './sessions.ts';
import type { WindowedDataset } from './windowed-dataset.ts';

/** A session as plain arrays. */
export interface PlainSession {
  /** Default: the session's number. */
  readonly id?: string;
  /** Raw item ids, oldest first. */
  readonly items: readonly (string | number)[];
  /** Milliseconds since 1970 UTC, one per item, never falling. */
  readonly timestampsMs: readonly number[];
  /** Further columns, one value per item: numbers, or texts; null where a cell is missing. */
  readonly columns?: Readonly<Record<string, readonly (number | string | null)[]>>;
}

/** Sessions with the raw ids and texts behind their codes. */
export interface PlainSessions {
  readonly sessions: Sessions;
  readonly source: Pick<WindowedDataset, 'rawItemId' | 'texts'>;
}

/**
 * Sessions from plain arrays, in their order: what a request for a recommendation is turned into, so that a saved
 * `FeaturePipeline` makes of it what it made of the log.
 *
 * @param columns what the features read (`columnsOfFeatures`); one that a session does not have is missing in all its events
 * @throws when a session is empty, its times fall, or a column has another kind or length
 */
export function sessionsFromPlain(
  sessions: readonly PlainSession[],
  columns: readonly RawColumn[] = [],
): PlainSessions {
  for (const [s, session] of sessions.entries()) assertPlainSession(session, s, 'sessionsFromPlain');
  const { columns: laid, rawIds } = toColumns(sessions);
  const { texts, ...carried } = carriedColumns(sessions, columns);
  return {
    sessions: { ...laid, ...carried },
    source: {
      texts,
      rawItemId(code) {
        if (rawIds[code] === undefined) throw new Error(`rawItemId: no item has code ${code}`);
        return rawIds[code];
      },
    },
  };
}

/** Items and times laid end to end; codes follow the first appearance. */
export function toColumns(sessions: readonly PlainSession[]): {
  columns: Sessions;
  rawIds: string[];
  codes: Map<string, number>;
} {
  const rawIds: string[] = [];
  const codes = new Map<string, number>();
  const offsets = new Int32Array(sessions.length + 1);
  sessions.forEach((session, s) => {
    offsets[s + 1] = offsets[s] + session.items.length;
  });
  const itemCodes = new Int32Array(offsets[sessions.length]);
  const timestampsMs = new Float64Array(itemCodes.length);
  sessions.forEach((session, s) => {
    session.items.forEach((item, i) => {
      const rawId = String(item);
      let code = codes.get(rawId);
      if (code === undefined) {
        code = rawIds.length;
        rawIds.push(rawId);
        codes.set(rawId, code);
      }
      itemCodes[offsets[s] + i] = code;
      timestampsMs[offsets[s] + i] = session.timestampsMs[i];
    });
  });
  return { columns: { itemCodes, offsets, timestampsMs }, rawIds, codes };
}

/** @throws when a session is empty, or its times are missing, not finite or falling */
export function assertPlainSession(session: PlainSession, s: number, caller = 'datasetFromSessions'): void {
  const { items, timestampsMs } = session;
  if (items.length === 0) throw new Error(`${caller}: session ${s} is empty; leave it out`);
  if (items.length !== timestampsMs.length) {
    throw new Error(`${caller}: session ${s} has ${items.length} items but ${timestampsMs.length} timestamps`);
  }
  timestampsMs.forEach((time, i) => {
    if (!Number.isFinite(time)) throw new Error(`${caller}: session ${s}, event ${i}: timestamp is ${time}`);
    if (i > 0 && time < timestampsMs[i - 1]) {
      throw new Error(
        `${caller}: session ${s}, event ${i}: time falls from ${timestampsMs[i - 1]} to ${time}; sort the events`,
      );
    }
  });
}
