import { z } from 'zod';
import { defineModel } from './model-spec.ts';
import { clickWeightingSchema, stepWeight } from './neighbors/click-weights.ts';
import { createItemRowsModel } from './neighbors/item-rows.ts';

export const sequentialRulesSchema = z.strictObject({
  steps: z.int().positive().default(10).describe('A rule leads at most so many clicks ahead.'),
  weighting: clickWeightingSchema
    .default('div')
    .describe("How a rule's weight falls with the number of clicks between its two items."),
  maxRules: z.int().positive().optional().describe('Rules kept per item, by weight; default all.'),
});

/**
 * Sequential rules: how often an item followed another within a few clicks, closer ones weighing more (Kamehkhosh et al.
 * 2017; Ludewig & Jannach 2018, §3.1, "SR"): score(j | newest item i) = Σ_sessions Σ_{p < q ≤ p + steps} w(q − p) · 1[s_p = i, s_q = j].
 */
export const sequentialRules = defineModel({
  kind: 'statistical',
  configSchema: sequentialRulesSchema,
  create: ({ steps, weighting, maxRules }, { numRows }) =>
    createItemRowsModel({
      name: 'sequentialRules',
      numRows,
      maxEntries: maxRules ?? Number.POSITIVE_INFINITY,
      over: 'lastItem',
      addSession(clicks, item, weights) {
        for (let p = clicks.indexOf(item); p >= 0; p = clicks.indexOf(item, p + 1)) {
          const end = Math.min(clicks.length - 1, p + steps);
          for (let q = p + 1; q <= end; q++) weights[clicks[q]] += stepWeight(weighting, q - p);
        }
      },
    }),
});
