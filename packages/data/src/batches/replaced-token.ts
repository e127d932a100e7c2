import type { SessionBatch } from '@nimue/batch';
import { createMasked, maskedSchema } from './masked.ts';
import { defineObjective } from './objective.ts';
import { takeEvents } from './take-events.ts';

/**
 * Items are hidden as in `masked`; beside them the batch carries the true items of all positions (`originalItemIds`). The
 * model's generator predicts the hidden items, its samples take their places (`replaceTargets`), and its discriminator
 * says of every position whether its item is the true one (Clark et al. 2020, "ELECTRA", section 2). Asked for the next
 * item, the model sees the session and one hidden position after it, as with `masked`.
 */
export const replacedToken = defineObjective({
  configSchema: maskedSchema,
  create(config) {
    const hidden = createMasked('replacedToken', config);
    return {
      ...hidden,
      createTrainingBatch(whole, draw): SessionBatch {
        const originalItemIds = takeEvents(whole, { minLength: 2 }).inputs.itemIds;
        return { ...hidden.createTrainingBatch(whole, draw), originalItemIds };
      },
    };
  },
});
