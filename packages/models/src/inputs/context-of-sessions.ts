import { MASK_ID, type SessionBatch } from '@nimue/batch';

/**
 * The values that stand for the whole session: at every event those of the session's first event that is seen and not
 * to be predicted: not hidden, and at place 0 of a factorisation order.
 */
export function contextOfSessions({
  itemIds,
  offsets,
  features = {},
  factorizationPlaces: places,
}: Pick<SessionBatch, 'itemIds' | 'offsets' | 'features' | 'factorizationPlaces'>): NonNullable<
  SessionBatch['features']
> {
  const sources = new Int32Array(itemIds.length);
  for (let b = 0; b + 1 < offsets.length; b++) {
    let first = offsets[b];
    while (first + 1 < offsets[b + 1] && (itemIds[first] === MASK_ID || (places?.[first] ?? 0) > 0)) first++;
    sources.fill(first, offsets[b], offsets[b + 1]);
  }
  return Object.fromEntries(
    Object.entries(features).map(([name, column]) => {
      const context = column.slice();
      for (let i = 0; i < context.length; i++) context[i] = column[sources[i]];
      return [name, context];
    }),
  );
}
