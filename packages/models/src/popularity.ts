import { FIRST_ITEM_ID } from '@nimue/batch';
import { z } from 'zod';
import { createCountingModel } from './counting-model.ts';
import { defineModel } from './model-spec.ts';

export const popularitySchema = z.strictObject({
  over: z
    .enum(['lastWindow', 'all', 'decayed'])
    .default('lastWindow')
    .describe(
      '`lastWindow` counts the newest train window only, `all` every window so far, `decayed` older windows less.',
    ),
  halfLifeWindows: z
    .number()
    .positive()
    .default(1)
    .describe('With `decayed`: a click counts half as much after so many further windows.'),
});

/**
 * The items that were clicked most often, the same for everyone: score(i) = Σ_w 2^(−age(w)/halfLife) · clicks on i in w,
 * each by its weight where events have some (`sessions.eventWeights`).
 * The row that every table needs: on fast-moving catalogues the last window's popularity beats careless deep models
 * (Ji et al. 2020, "A Re-visit of the Popularity Baseline in Recommender Systems").
 */
export const popularity = defineModel({
  kind: 'statistical',
  configSchema: popularitySchema,
  create({ over, halfLifeWindows }, { numRows }) {
    let counts = new Float64Array(numRows);
    const kept = { lastWindow: 0, all: 1, decayed: 2 ** (-1 / halfLifeWindows) }[over];
    return createCountingModel({
      name: 'popularity',
      numRows,
      fitWindow({ itemIds, eventWeights }) {
        for (let v = 0; v < counts.length; v++) counts[v] *= kept;
        itemIds.forEach((id, event) => {
          if (id >= FIRST_ITEM_ID) counts[id] += eventWeights?.[event] ?? 1;
        });
      },
      score: (_batch, _position, scores) => scores.set(counts),
      onResize(grown) {
        const longer = new Float64Array(grown);
        longer.set(counts);
        counts = longer;
      },
    });
  },
});
