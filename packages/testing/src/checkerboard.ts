import { FIRST_ITEM_ID, packSessions, type SessionBatch } from '@nimue/batch';

/**
 * Sessions that walk through the items of their own colour only: even sessions over even items, odd sessions over odd
 * ones, each stepping by 2. Whatever learns at all must put the next item of the walk first.
 */
export function checkerboardSessions(numItems: number, numSessions: number, length: number): number[][] {
  if (numItems % 2 !== 0) throw new Error(`checkerboardSessions: numItems must be even, got ${numItems}`);
  return Array.from({ length: numSessions }, (_, s) =>
    Array.from({ length }, (_, i) => FIRST_ITEM_ID + ((s + 2 * i) % numItems)),
  );
}

/** A causal batch: inputs 0 … n − 2 predict 1 … n − 1. */
export function causalBatch(sessions: readonly (readonly number[])[]): SessionBatch {
  const targets = sessions.flatMap((session) => session.slice(1));
  return packSessions(
    sessions.map((session) => session.slice(0, -1)),
    { positions: Int32Array.from(targets.keys()), itemIds: Int32Array.from(targets) },
  );
}
