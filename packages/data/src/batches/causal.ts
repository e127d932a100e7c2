import { FIRST_ITEM_ID, type SessionBatch } from '@nimue/batch';
import { z } from 'zod';
import { predictAtNewest } from './inference-batch.ts';
import { defineObjective } from './objective.ts';
import { takeEvents } from './take-events.ts';

/**
 * Every item predicts the next one: inputs are the items 0 … n-2 of a session, the target at input i is item i+1. A
 * next item that is not in the vocabulary is no training target. A session [5, 6, 7] gives the inputs [5, 6] with the
 * targets 6 and 7.
 */
export const causal = defineObjective({
  configSchema: z.strictObject({}),
  create: () => ({
    name: 'causal',
    permits: ['causal'],
    numTargetOnly: 1,
    numAppended: 0,
    createTrainingBatch: nextItemTargets,
    createInferenceBatch: predictAtNewest,
  }),
});

function nextItemTargets(whole: SessionBatch): SessionBatch {
  const { inputs, sourceIndex } = takeEvents(whole, { numDropped: 1, minLength: 2 });
  const positions = new Int32Array(sourceIndex.length);
  const itemIds = new Int32Array(sourceIndex.length);
  let numTargets = 0;
  for (let position = 0; position < sourceIndex.length; position++) {
    const next = whole.itemIds[sourceIndex[position] + 1];
    if (next < FIRST_ITEM_ID) continue;
    positions[numTargets] = position;
    itemIds[numTargets++] = next;
  }
  return { ...inputs, targets: { positions: positions.slice(0, numTargets), itemIds: itemIds.slice(0, numTargets) } };
}
