import { FIRST_ITEM_ID, type SessionBatch } from '@nimue/batch';
import { dropLastItems } from './objective.ts';

/**
 * Every item predicts the next one: inputs are the items 0 … n-2 of a session, the target at input i is item i+1. A
 * next item that is not in the vocabulary is no training target.
 *
 * @example
 * causal(packSessions([[5, 6, 7]])); // itemIds [5, 6], targets: position 0 → 6, position 1 → 7
 */
export function causal(whole: SessionBatch): SessionBatch {
  const { batch, sourceIndex } = dropLastItems(whole);
  const positions = new Int32Array(sourceIndex.length);
  const itemIds = new Int32Array(sourceIndex.length);
  let numTargets = 0;
  for (let position = 0; position < sourceIndex.length; position++) {
    const next = whole.itemIds[sourceIndex[position] + 1];
    if (next < FIRST_ITEM_ID) continue;
    positions[numTargets] = position;
    itemIds[numTargets++] = next;
  }
  return { ...batch, targets: { positions: positions.slice(0, numTargets), itemIds: itemIds.slice(0, numTargets) } };
}
