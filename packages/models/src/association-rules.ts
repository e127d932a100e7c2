import { z } from 'zod';
import { defineModel } from './model-spec.ts';
import { createItemRowsModel } from './neighbors/item-rows.ts';

export const associationRulesSchema = z.strictObject({
  maxRules: z.int().positive().optional().describe('Rules kept per item, by weight; default all.'),
});

/**
 * Simple association rules: how often two items were clicked in one session, whatever the order (Ludewig & Jannach 2018,
 * §3.1, "AR"): score(j | newest item i) = Σ_sessions Σ_{pairs of clicks} 1[{i, j}]. An item clicked twice goes with
 * itself, two for every pair of its clicks.
 */
export const associationRules = defineModel({
  kind: 'statistical',
  configSchema: associationRulesSchema,
  create: ({ maxRules }, { numRows }) =>
    createItemRowsModel({
      name: 'associationRules',
      numRows,
      maxEntries: maxRules ?? Number.POSITIVE_INFINITY,
      over: 'lastItem',
      addSession(clicks, item, weights) {
        let repeats = 0;
        for (const other of clicks) if (other === item) repeats++;
        for (const other of clicks) weights[other] += other === item ? repeats - 1 : repeats;
      },
    }),
});
