import { FIRST_ITEM_ID } from '@nimue/batch';
import { z } from 'zod';
import { defineNegatives } from './negative-sampler.ts';
import { sessionItems } from './session-marks.ts';

/**
 * Every item once, nothing drawn: the sampled softmax is then the full one. It is there for `excludeSession`, which trains what is
 * asked for where recommended items are new ones: the softmax over the target and the items that are not the session's own.
 */
export const all = defineNegatives({
  configSchema: z.strictObject({
    name: z.literal('all'),
    excludeSession: z
      .boolean()
      .default(false)
      .describe("Leaves the items of the row's own session out, past and future ones."),
  }),
  create({ excludeSession }) {
    let shared = new Int32Array(0);
    return (request) => {
      const numItems = request.numTableRows - FIRST_ITEM_ID;
      if (shared.length !== numItems) shared = Int32Array.from({ length: numItems }, (_, i) => FIRST_ITEM_ID + i);
      return {
        negatives: { shared, ...(excludeSession && { excluded: sessionItems(request) }) },
        numNegatives: numItems,
        // ln 1: each is among them once
        logExpectedCount: () => 0,
      };
    };
  },
});
