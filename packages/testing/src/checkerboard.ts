/**
 * Sessions that walk through the items of their own colour only: even sessions over even items, odd sessions over odd
 * ones, each stepping by 2. Whatever learns at all must put the next item of the walk first.
 */
export function checkerboardSessions(options: {
  readonly firstItemId: number;
  readonly numItems: number;
  readonly numSessions: number;
  readonly length: number;
}): number[][] {
  const { firstItemId, numItems, numSessions, length } = options;
  if (numItems % 2 !== 0) throw new Error(`checkerboardSessions: numItems must be even, got ${numItems}`);
  return Array.from({ length: numSessions }, (_, s) =>
    Array.from({ length }, (_, i) => firstItemId + ((s + 2 * i) % numItems)),
  );
}

/** A causal batch in the packed layout: inputs 0 … n − 2 of every session predict 1 … n − 1. */
export function causalBatch(sessions: readonly (readonly number[])[]) {
  const offsets = new Int32Array(sessions.length + 1);
  sessions.forEach((session, b) => {
    offsets[b + 1] = offsets[b] + Math.max(0, session.length - 1);
  });
  const targets = sessions.flatMap((session) => session.slice(1));
  return {
    itemIds: Int32Array.from(sessions.flatMap((session) => session.slice(0, -1))),
    offsets,
    targets: { positions: Int32Array.from(targets.keys()), itemIds: Int32Array.from(targets) },
  };
}
