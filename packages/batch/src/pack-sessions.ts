import { assertSessionBatch } from './assert-session-batch.ts';
import { NO_TARGETS, type SessionBatch, type SessionTargets } from './session-batch.ts';

/**
 * Lays plain arrays of item ids end to end.
 *
 * @example
 * const batch = packSessions([[5, 6], [7]]);
 * batch.itemIds; // → Int32Array [5, 6, 7]
 * batch.offsets; // → Int32Array [0, 2, 3]
 *
 * @throws when an id is not a whole number ≥ 0 or a target lies outside the batch.
 */
export function packSessions(
  sessions: readonly (readonly number[])[],
  targets: SessionTargets = NO_TARGETS,
): SessionBatch {
  const offsets = new Int32Array(sessions.length + 1);
  for (let b = 0; b < sessions.length; b++) offsets[b + 1] = offsets[b] + sessions[b].length;
  const itemIds = new Int32Array(offsets[sessions.length]);
  sessions.forEach((session, b) => {
    session.forEach((id, i) => {
      if (!Number.isInteger(id) || id < 0) {
        throw new Error(`packSessions: session ${b}, event ${i}: expected a whole item id ≥ 0, got ${id}`);
      }
      itemIds[offsets[b] + i] = id;
    });
  });
  const batch: SessionBatch = { itemIds, offsets, targets };
  assertSessionBatch(batch);
  return batch;
}
