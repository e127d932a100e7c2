import { z } from 'zod';
import { defineModel } from './model-spec.ts';
import { createItemRowsModel } from './neighbors/item-rows.ts';

export const markovSchema = z.strictObject({
  maxSuccessors: z.int().positive().optional().describe('Successors kept per item, by count; default all.'),
});

/**
 * First-order Markov chain: how often an item directly followed the newest one (Ludewig & Jannach 2018, §3.1, "MC"):
 * score(j | newest item i) = Σ_sessions Σ_p 1[s_p = i, s_{p+1} = j].
 */
export const markov = defineModel({
  kind: 'statistical',
  configSchema: markovSchema,
  create: ({ maxSuccessors }, { numRows }) =>
    createItemRowsModel({
      name: 'markov',
      numRows,
      maxEntries: maxSuccessors ?? Number.POSITIVE_INFINITY,
      over: 'lastItem',
      addSession(clicks, item, weights) {
        for (let p = clicks.indexOf(item); p >= 0 && p + 1 < clicks.length; p = clicks.indexOf(item, p + 1)) {
          weights[clicks[p + 1]]++;
        }
      },
    }),
});
