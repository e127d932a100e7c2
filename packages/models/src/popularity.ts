import { FIRST_ITEM_ID } from '@nimue/batch';
import { z } from 'zod';
import { defineModel } from './model-spec.ts';
import type { SessionsToCount, StatisticalModel } from './next-item-model.ts';
import { rankByScores, recommendByScores, type ScoreItems } from './rank-by-scores.ts';

export const popularitySchema = z.strictObject({
  /** `lastWindow` counts the newest train window only, `all` every window so far. */
  over: z.enum(['lastWindow', 'all']).default('lastWindow'),
});

/**
 * The items that were clicked most often, the same for everyone. The row that every table needs: on fast-moving
 * catalogues the last window's popularity beats careless deep models (Ji et al. 2020, "A Re-visit of the Popularity
 * Baseline in Recommender Systems").
 */
export const popularity = defineModel({
  kind: 'statistical',
  configSchema: popularitySchema,
  create: ({ over }, { numRows }) => createPopularity(over, numRows),
});

function createPopularity(over: z.infer<typeof popularitySchema>['over'], numRows: number): StatisticalModel {
  let counts = new Float64Array(numRows);
  const score: ScoreItems = (_batch, _position, scores) => scores.set(counts);
  return {
    kind: 'statistical',
    name: 'popularity',
    get numRows() {
      return counts.length;
    },
    fitWindow({ itemIds }: SessionsToCount) {
      if (over === 'lastWindow') counts.fill(0);
      for (const id of itemIds) if (id >= FIRST_ITEM_ID) counts[id]++;
    },
    rankTargets: (batch, options) => rankByScores(score, counts.length, batch, options),
    recommend: (batch, k, options) => recommendByScores(score, counts.length, batch, k, options),
    resizeItems(numRows) {
      if (numRows < counts.length)
        throw new Error(`popularity: cannot shrink from ${counts.length} to ${numRows} rows`);
      const grown = new Float64Array(numRows);
      grown.set(counts);
      counts = grown;
    },
    dispose() {},
  };
}
