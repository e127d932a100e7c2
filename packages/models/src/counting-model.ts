import type { SessionsToCount, StatisticalModel } from './next-item-model.ts';
import { rankByScores, recommendByScores, type ScoreItems } from './rank-by-scores.ts';

export interface CountingModelParts {
  readonly name: string;
  readonly numRows: number;
  fitWindow(sessions: SessionsToCount): void;
  readonly score: ScoreItems;
  /** Called when the catalogue has grown; most models need nothing. */
  readonly onResize?: (numRows: number) => void;
}

/** A model that counts, from the two things that make it one: what it takes in, and how it scores. */
export function createCountingModel(parts: CountingModelParts): StatisticalModel {
  let { numRows } = parts;
  return {
    kind: 'statistical',
    name: parts.name,
    get numRows() {
      return numRows;
    },
    fitWindow: (sessions) => parts.fitWindow(sessions),
    rankTargets: (batch, options) => rankByScores(parts.score, numRows, batch, options),
    recommend: (batch, k, options) => recommendByScores(parts.score, numRows, batch, k, options),
    resizeItems(grown) {
      if (grown < numRows) throw new Error(`${parts.name}: cannot shrink from ${numRows} to ${grown} rows`);
      numRows = grown;
      parts.onResize?.(grown);
    },
    dispose() {},
  };
}
