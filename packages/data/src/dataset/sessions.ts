import { type EventColumns, mapColumns } from './raw-columns.ts';

/**
 * Sessions of raw item codes, columnar and without padding. Session `s` owns the events `offsets[s] … offsets[s+1] - 1`,
 * oldest first. Sessions are ordered by their start, then by session id, so that the same log always gives the same columns.
 *
 * Shape letters: S sessions, T events.
 */
export interface Sessions {
  /** Code of every clicked item in the data set's item dictionary [T]. */
  readonly itemCodes: Int32Array;
  /** Where each session starts [S + 1]: `offsets[0] = 0`, never falling, `offsets[S] = T`. */
  readonly offsets: Int32Array;
  /** Milliseconds since 1970-01-01 UTC [T], never falling within a session. */
  readonly timestampsMs: Float64Array;
  /** The log has an order but no times: `timestampsMs` are places 0, 1, 2 … in the session, and no model is shown them. */
  readonly hasOnlyOrder?: boolean;
  /** Columns of the log that were carried along, for features [T]. */
  readonly columns?: EventColumns;
  /** Who each session is, the same in every split and in every preparation of the log [S]. */
  readonly sessionKeys?: Int32Array;
  /** Events of each session before `sessions.maxLength` cut it to its newest [S]. */
  readonly fullLengths?: Int32Array;
}

/** Number of sessions S. */
export function countSessions(sessions: Pick<Sessions, 'offsets'>): number {
  return sessions.offsets.length - 1;
}

/** No session at all: what an empty window reads as. */
export function emptySessions(): Sessions {
  return { itemCodes: new Int32Array(0), offsets: new Int32Array(1), timestampsMs: new Float64Array(0) };
}

/**
 * Lays several session columns end to end, in the order given (e.g. the train windows of one step).
 *
 * @example
 * concatSessions([await dataset.read(0, 'train'), await dataset.read(1, 'train')]);
 */
export function concatSessions(parts: readonly Sessions[]): Sessions {
  if (parts.length === 1) return parts[0];
  let numSessions = 0;
  let numEvents = 0;
  for (const part of parts) {
    numSessions += countSessions(part);
    numEvents += part.itemCodes.length;
  }
  const itemCodes = new Int32Array(numEvents);
  const timestampsMs = new Float64Array(numEvents);
  const offsets = new Int32Array(numSessions + 1);
  let session = 0;
  let event = 0;
  for (const part of parts) {
    itemCodes.set(part.itemCodes, event);
    timestampsMs.set(part.timestampsMs, event);
    for (let s = 1; s < part.offsets.length; s++) offsets[session + s] = event + part.offsets[s];
    session += countSessions(part);
    event += part.itemCodes.length;
  }
  return {
    itemCodes,
    offsets,
    timestampsMs,
    ...joinedColumns(parts, numEvents),
    ...(parts.some(({ hasOnlyOrder }) => hasOnlyOrder) && { hasOnlyOrder: true }),
    ...perSession('sessionKeys', (name) => joined(parts, name, numSessions)),
    ...perSession('fullLengths', (name) => joined(parts, name, numSessions)),
  };
}

/** @throws when the parts carry different columns */
function joinedColumns(parts: readonly Sessions[], numEvents: number): { columns?: EventColumns } {
  const filled = parts.filter(({ itemCodes }) => itemCodes.length > 0);
  const names = (part: Sessions) =>
    Object.keys(part.columns ?? {})
      .sort()
      .join(', ');
  for (const part of filled) {
    if (names(part) !== names(filled[0])) {
      throw new Error(`concatSessions: the parts carry different columns: ${names(filled[0])}; ${names(part)}`);
    }
  }
  return mapColumns(filled[0]?.columns, (_, key) => {
    const column = new Float64Array(numEvents);
    let at = 0;
    for (const part of filled) {
      column.set(part.columns?.[key] ?? [], at);
      at += part.itemCodes.length;
    }
    return column;
  });
}

type SessionColumn = 'sessionKeys' | 'fullLengths';

function perSession<Name extends SessionColumn>(
  name: Name,
  make: (name: Name) => Int32Array | undefined,
): Partial<Record<Name, Int32Array>> {
  const column = make(name);
  return (column ? { [name]: column } : {}) as Partial<Record<Name, Int32Array>>;
}

/** A column of all parts, or nothing when one of them lacks it. */
function joined(parts: readonly Sessions[], name: SessionColumn, numSessions: number): Int32Array | undefined {
  const all = new Int32Array(numSessions);
  let at = 0;
  for (const part of parts) {
    const column = part[name];
    if (!column && countSessions(part) > 0) return undefined;
    if (column) all.set(column, at);
    at += countSessions(part);
  }
  return all;
}

/**
 * The chosen sessions, in the order of `indices`.
 *
 * @param indices session numbers, each in 0 … S - 1
 */
export function takeSessions(sessions: Sessions, indices: ArrayLike<number>): Sessions {
  const offsets = new Int32Array(indices.length + 1);
  for (let i = 0; i < indices.length; i++) {
    offsets[i + 1] = offsets[i] + sessions.offsets[indices[i] + 1] - sessions.offsets[indices[i]];
  }
  const numEvents = offsets[indices.length];
  const itemCodes = new Int32Array(numEvents);
  const timestampsMs = new Float64Array(numEvents);
  for (let i = 0; i < indices.length; i++) {
    const from = sessions.offsets[indices[i]];
    const to = sessions.offsets[indices[i] + 1];
    itemCodes.set(sessions.itemCodes.subarray(from, to), offsets[i]);
    timestampsMs.set(sessions.timestampsMs.subarray(from, to), offsets[i]);
  }
  const { sessionKeys, fullLengths } = sessions;
  const chosen = (column?: Int32Array) => column && Int32Array.from(indices, (s) => column[s]);
  return {
    itemCodes,
    offsets,
    timestampsMs,
    ...mapColumns(sessions.columns, (column) => {
      const taken = new Float64Array(itemCodes.length);
      for (let i = 0; i < indices.length; i++) {
        const s = indices[i];
        taken.set(column.subarray(sessions.offsets[s], sessions.offsets[s + 1]), offsets[i]);
      }
      return taken;
    }),
    ...(sessions.hasOnlyOrder && { hasOnlyOrder: true }),
    ...perSession('sessionKeys', () => chosen(sessionKeys)),
    ...perSession('fullLengths', () => chosen(fullLengths)),
  };
}
