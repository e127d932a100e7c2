import { assertSessionBatch, NO_TARGETS, type SessionBatch } from '@nimue/batch';
import type { SessionsToCount, StatisticalModel } from './next-item-model.ts';
import { rankByScores, recommendByScores, type ScoreItems } from './rank-by-scores.ts';

export interface CountingModelParts {
  readonly name: string;
  readonly numRows: number;
  /** See `StatisticalModel`. */
  readonly countsInParts?: boolean;
  fitWindow(sessions: SessionsToCount): void;
  readonly score: ScoreItems;
  /** Called when the catalogue has grown; most models need nothing. */
  readonly onResize?: (numRows: number) => void;
}

/**
 * A model that counts, from the two things that make it one: what it takes in, and how it scores. Sessions with an id beyond
 * the table, or whose columns do not go together, are refused before anything is taken in or scored.
 */
export function createCountingModel(parts: CountingModelParts): StatisticalModel {
  const { name, score, countsInParts } = parts;
  let { numRows } = parts;
  const assertKnown = (batch: SessionBatch, what: string) => {
    try {
      assertSessionBatch(batch, numRows);
    } catch (error) {
      throw new Error(`${name}: ${what}: ${(error as Error).message}`);
    }
  };
  return {
    kind: 'statistical',
    name,
    ...(countsInParts && { countsInParts }),
    get numRows() {
      return numRows;
    },
    fitWindow(sessions) {
      assertKnown({ ...sessions, targets: NO_TARGETS }, 'train sessions');
      const { itemIds, eventWeights } = sessions;
      if (eventWeights && eventWeights.length !== itemIds.length) {
        throw new Error(
          `${name}: train sessions: eventWeights has length ${eventWeights.length}, expected ${itemIds.length}`,
        );
      }
      parts.fitWindow(sessions);
    },
    rankTargets(batch, options) {
      assertKnown(batch, 'rankTargets');
      return rankByScores(score, numRows, batch, options, name);
    },
    recommend(batch, k, options) {
      assertKnown(batch, 'recommend');
      return recommendByScores(score, numRows, batch, k, options, name);
    },
    resizeItems(grown) {
      if (!Number.isInteger(grown)) throw new Error(`resizeItems: numRows must be a whole number, got ${grown}`);
      if (grown < numRows) throw new Error(`${name}: cannot shrink from ${numRows} to ${grown} rows`);
      numRows = grown;
      parts.onResize?.(grown);
    },
    dispose() {},
  };
}
