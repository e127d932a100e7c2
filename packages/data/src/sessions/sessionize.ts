import type { Sessions } from '../dataset/sessions.ts';
import {
  type EmittedSession,
  type EventChunk,
  Sessionizer,
  type SessionizerCounts,
  type SessionizerOptions,
} from './sessionizer.ts';

/** Sessions with the key and the start of each, ordered by start, then key. */
export interface SessionizedEvents extends Sessions {
  /** Session or user key of each session [S]. */
  readonly keys: Int32Array;
  /** Start of each session [S], ms since 1970 UTC. */
  readonly startsMs: Float64Array;
  readonly counts: SessionizerCounts;
}

/**
 * Turns ordered events into sessions in memory, for small logs; `prepareWindows` does the same streaming.
 *
 * @throws when events are not ordered by key and time, or no session is long enough
 *
 * @example
 * sessionize([chunk], { by: 'user', gapMinutes: 30, minLength: 2 }).offsets;
 */
export function sessionize(chunks: Iterable<EventChunk>, options: SessionizerOptions): SessionizedEvents {
  const found: EmittedSession[] = [];
  const sessionizer = new Sessionizer(options, (session) => {
    found.push({
      ...session,
      itemCodes: session.itemCodes.slice(),
      timestampsMs: session.timestampsMs.slice(),
      columns: [],
    });
  });
  for (const chunk of chunks) sessionizer.push(chunk);
  const counts = sessionizer.finish();
  assertAnySession(counts, options);
  found.sort((a, b) => a.startMs - b.startMs || a.key - b.key);
  const offsets = new Int32Array(found.length + 1);
  found.forEach((session, s) => {
    offsets[s + 1] = offsets[s] + session.itemCodes.length;
  });
  const itemCodes = new Int32Array(offsets[found.length]);
  const timestampsMs = new Float64Array(itemCodes.length);
  found.forEach((session, s) => {
    itemCodes.set(session.itemCodes, offsets[s]);
    timestampsMs.set(session.timestampsMs, offsets[s]);
  });
  return {
    itemCodes,
    offsets,
    timestampsMs,
    fullLengths: Int32Array.from(found, (session) => session.fullLength),
    keys: Int32Array.from(found, (session) => session.key),
    startsMs: Float64Array.from(found, (session) => session.startMs),
    counts,
  };
}

/** @throws when events were read but every session was too short */
export function assertAnySession(counts: SessionizerCounts, options: SessionizerOptions): void {
  if (counts.numKeptSessions > 0) return;
  if (counts.numEvents === 0)
    throw new Error('sessionize: the log has no events; check the file and the window bounds');
  const { by, gapMinutes = 30, minLength = 2 } = options;
  const cut = gapMinutes === 'none' ? 'grouping by user' : `cutting users at pauses of ${gapMinutes} minutes`;
  const grouped = by === 'user' ? cut : 'grouping by session id';
  const after = options.dropConsecutiveRepeats ? `${grouped} and dropping repeats` : grouped;
  const size = minLength === 2 ? 'has 1 event' : `has fewer than ${minLength} events`;
  throw new Error(
    `sessionize: every session ${size} after ${after} (${counts.numSessions} sessions from ${counts.numEvents} events); ` +
      `minLength is ${minLength}. ${by === 'user' ? 'Check the user column and gapMinutes' : 'Check that the session column holds session ids'}, or lower minLength`,
  );
}
