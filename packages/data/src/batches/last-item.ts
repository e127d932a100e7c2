import type { SessionBatch } from '@nimue/batch';
import { dropLastItems } from './objective.ts';

/**
 * One target per session, its newest item, with the whole prefix visible. A target outside the vocabulary stays as
 * `UNKNOWN_ID`, so that an evaluation counts it as a miss.
 *
 * @example
 * lastItem(packSessions([[5, 6, 7]])); // itemIds [5, 6], targets: position 1 → 7
 */
export function lastItem(whole: SessionBatch): SessionBatch {
  const { batch, sourceIndex } = dropLastItems(whole);
  const numSessions = batch.offsets.length - 1;
  const positions = new Int32Array(numSessions);
  const itemIds = new Int32Array(numSessions);
  for (let s = 0; s < numSessions; s++) {
    positions[s] = batch.offsets[s + 1] - 1;
    itemIds[s] = whole.itemIds[sourceIndex[positions[s]] + 1];
  }
  return { ...batch, targets: { positions, itemIds } };
}
