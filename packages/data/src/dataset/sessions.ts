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
  return { itemCodes, offsets, timestampsMs };
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
  return { itemCodes, offsets, timestampsMs };
}
