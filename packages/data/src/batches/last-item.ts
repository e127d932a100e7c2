import { FIRST_ITEM_ID, type SessionBatch } from '@nimue/batch';
import { z } from 'zod';
import { predictAtNewest } from './inference-batch.ts';
import { defineObjective } from './objective.ts';
import { takeEvents } from './take-events.ts';

/**
 * One target per session, its newest item, with all items before it visible: [5, 6, 7] gives the inputs [5, 6] with the
 * target 7 at the second. A newest item outside the vocabulary is no training target.
 */
export const lastItem = defineObjective({
  configSchema: z.strictObject({}),
  create: () => ({
    name: 'lastItem',
    permits: ['causal', 'bidirectional'],
    numTargetOnly: 1,
    numAppended: 0,
    createTrainingBatch: newestItemTargets,
    createInferenceBatch: predictAtNewest,
  }),
});

function newestItemTargets(whole: SessionBatch): SessionBatch {
  const { inputs, sourceIndex } = takeEvents(whole, { numDropped: 1, minLength: 2 });
  const ends = [...inputs.offsets.subarray(1)].map((end) => end - 1);
  const known = ends.filter((position) => whole.itemIds[sourceIndex[position] + 1] >= FIRST_ITEM_ID);
  return {
    ...inputs,
    targets: {
      positions: Int32Array.from(known),
      itemIds: Int32Array.from(known, (position) => whole.itemIds[sourceIndex[position] + 1]),
    },
  };
}
