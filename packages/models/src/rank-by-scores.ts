import { FIRST_ITEM_ID, type SessionBatch } from '@nimue/batch';
import { type TopItems, UNRANKED } from '@nimue/ops';
import type { RankingOptions } from './next-item-model.ts';

/** Fills `scores` [V] with the score of every item as the successor of `position`; higher is better. */
export type ScoreItems = (batch: SessionBatch, position: number, scores: Float64Array) => void;

/** `rankTargets` of every model that scores by counting: the rule of `rankOfTarget`, ties count against. */
export function rankByScores(
  score: ScoreItems,
  numRows: number,
  batch: SessionBatch,
  options: RankingOptions = {},
): Int32Array {
  const { positions, itemIds } = batch.targets;
  const scores = new Float64Array(numRows);
  return Int32Array.from(positions, (position, n) => {
    const target = itemIds[n];
    if (target < FIRST_ITEM_ID) return UNRANKED;
    score(batch, position, scores);
    const targetScore = scores[target];
    hideExcluded(scores, n, options);
    scores[target] = Number.NEGATIVE_INFINITY;
    let rank = 1;
    for (let v = FIRST_ITEM_ID; v < numRows; v++) if (scores[v] >= targetScore) rank++;
    return rank;
  });
}

/** `recommend` of every model that scores by counting: best first, ties by rising id. */
export function recommendByScores(
  score: ScoreItems,
  numRows: number,
  batch: SessionBatch,
  k: number,
  options: RankingOptions = {},
): TopItems {
  const numItems = numRows - FIRST_ITEM_ID;
  if (!Number.isInteger(k) || k < 1 || k > numItems) {
    throw new Error(`recommend: k is ${k}, but the catalogue has ${numItems} items; choose 1 … ${numItems}`);
  }
  const { positions } = batch.targets;
  const top: TopItems = {
    itemIds: new Int32Array(positions.length * k),
    scores: new Float32Array(positions.length * k).fill(Number.NEGATIVE_INFINITY),
  };
  const scores = new Float64Array(numRows);
  positions.forEach((position, n) => {
    score(batch, position, scores);
    hideExcluded(scores, n, options);
    const candidates: number[] = [];
    for (let v = FIRST_ITEM_ID; v < numRows; v++) if (scores[v] !== Number.NEGATIVE_INFINITY) candidates.push(v);
    candidates.sort((a, b) => scores[b] - scores[a] || a - b);
    candidates.slice(0, k).forEach((v, place) => {
      top.itemIds[n * k + place] = v;
      top.scores[n * k + place] = scores[v];
    });
  });
  return top;
}

function hideExcluded(scores: Float64Array, n: number, { excluded }: RankingOptions): void {
  if (!excluded) return;
  for (let e = excluded.offsets[n]; e < excluded.offsets[n + 1]; e++) {
    scores[excluded.itemIds[e]] = Number.NEGATIVE_INFINITY;
  }
}
