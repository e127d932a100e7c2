import { FIRST_ITEM_ID } from '@nimue/batch';
import { z } from 'zod';
import { createCountingModel } from './counting-model.ts';
import { defineModel } from './model-spec.ts';
import { currentSession } from './neighbors/current-session.ts';

/**
 * Session popularity: the items clicked most often in the current session, then the items clicked most often by
 * everybody (Hidasi et al. 2016, the S-POP baseline): score(i) = clicks in the session + clicks by all / (1 + the largest
 * of those), so that the session decides and popularity breaks its ties. Where events have weights (`sessions.eventWeights`), the clicks by
 * all count by them.
 */
export const sessionPopularity = defineModel({
  kind: 'statistical',
  configSchema: z.strictObject({}),
  create(_config, { numRows }) {
    let counts = new Float64Array(numRows);
    let largest = 0;
    return createCountingModel({
      name: 'sessionPopularity',
      numRows,
      countsInParts: true,
      fitWindow({ itemIds, eventWeights }) {
        itemIds.forEach((id, event) => {
          if (id < FIRST_ITEM_ID) return;
          counts[id] += eventWeights?.[event] ?? 1;
          largest = Math.max(largest, counts[id]);
        });
      },
      score(batch, position, scores) {
        for (let v = 0; v < scores.length; v++) scores[v] = counts[v] / (1 + largest);
        const { items, counts: inSession } = currentSession(batch, position);
        items.forEach((item, i) => {
          scores[item] += inSession[i];
        });
      },
      onResize(grown) {
        const longer = new Float64Array(grown);
        longer.set(counts);
        counts = longer;
      },
    });
  },
});
