import { FIRST_ITEM_ID, type SessionBatch } from '@nimue/batch';
import { NonFiniteScoreError, type TopItems, UNRANKED } from '@nimue/ops';
import type { RankingOptions, TargetRankingOptions } from './next-item-model.ts';
import { rankAmongScores } from './rank-among.ts';
import { assertCandidates } from './with-candidates.ts';

/**
 * Fills `scores` [V] with the score of every item as the successor of `position`; higher is better. Scores are compared
 * as float32, the precision that a list carries: what differs by rounding alone is a tie.
 */
export type ScoreItems = (batch: SessionBatch, position: number, scores: Float64Array) => void;

/**
 * `rankTargets` of every model that scores by counting: the rule of `rankOfTarget`, ties count against.
 *
 * @throws NonFiniteScoreError when a score is NaN or infinite
 */
export function rankByScores(
  score: ScoreItems,
  numRows: number,
  batch: SessionBatch,
  options: TargetRankingOptions = {},
): Int32Array {
  const { positions, itemIds } = batch.targets;
  const { among, ties = 'conservative' } = options;
  const scores = new Float64Array(numRows);
  if (among) {
    let scored = -1;
    const scoreOf = (n: number, id: number) => {
      if (n !== scored) score(batch, positions[n], scores);
      scored = n;
      if (!(id < numRows)) throw new Error(`rankTargets: among has item id ${id}, expected 0 … ${numRows - 1}`);
      if (!Number.isFinite(scores[id])) throw new NonFiniteScoreError('rankByScores', n, id, scores[id]);
      return Math.fround(scores[id]);
    };
    return rankAmongScores(scoreOf, positions.length, itemIds, among, ties);
  }
  const hidden = hiddenItems(numRows, options);
  return Int32Array.from(positions, (position, n) => {
    const target = itemIds[n];
    if (target < FIRST_ITEM_ID || hidden?.[target]) return UNRANKED;
    score(batch, position, scores);
    assertFinite('rankByScores', scores, n);
    const targetScore = Math.fround(scores[target]);
    hideExcluded(scores, n, options, hidden);
    scores[target] = Number.NEGATIVE_INFINITY;
    let rank = 1;
    for (let v = FIRST_ITEM_ID; v < numRows; v++) {
      const other = Math.fround(scores[v]);
      if (other > targetScore || (ties === 'conservative' && other === targetScore)) rank++;
    }
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
  const numItems = options.candidates?.length ?? numRows - FIRST_ITEM_ID;
  if (!Number.isInteger(k) || k < 1 || k > numItems) {
    throw new Error(`recommend: k is ${k}, but the catalogue has ${numItems} items; choose 1 … ${numItems}`);
  }
  const { positions } = batch.targets;
  const top: TopItems = {
    itemIds: new Int32Array(positions.length * k),
    scores: new Float32Array(positions.length * k).fill(Number.NEGATIVE_INFINITY),
  };
  const scores = new Float64Array(numRows);
  const hidden = hiddenItems(numRows, options);
  positions.forEach((position, n) => {
    score(batch, position, scores);
    assertFinite('recommendByScores', scores, n);
    hideExcluded(scores, n, options, hidden);
    bestItems(scores, k).forEach((v, place) => {
      top.itemIds[n * k + place] = v;
      top.scores[n * k + place] = scores[v];
    });
  });
  return top;
}

/** NaN compares as neither better nor worse, and would rank first. */
function assertFinite(op: string, scores: Float64Array, n: number): void {
  for (let v = FIRST_ITEM_ID; v < scores.length; v++) {
    if (!Number.isFinite(scores[v])) throw new NonFiniteScoreError(op, n, v, scores[v]);
  }
}

/** 1 for every item that is no candidate; undefined when all are. */
function hiddenItems(numRows: number, { candidates }: RankingOptions): Uint8Array | undefined {
  if (!candidates) return undefined;
  assertCandidates(candidates, numRows);
  const hidden = new Uint8Array(numRows).fill(1);
  for (const id of candidates) hidden[id] = 0;
  return hidden;
}

function hideExcluded(scores: Float64Array, n: number, { excluded }: RankingOptions, hidden?: Uint8Array): void {
  if (hidden) for (let v = 0; v < scores.length; v++) if (hidden[v]) scores[v] = Number.NEGATIVE_INFINITY;
  if (!excluded) return;
  for (let e = excluded.offsets[n]; e < excluded.offsets[n + 1]; e++) {
    scores[excluded.itemIds[e]] = Number.NEGATIVE_INFINITY;
  }
}

/**
 * The k best items by their scores as float32, best first, equal scores by rising id; hidden ones left out. Small lists out of a
 * large catalogue are cheap: one look at every score. Those of the items that come back are rounded in place.
 */
function bestItems(scores: Float64Array, k: number): number[] {
  const better = (a: number, b: number) => scores[b] - scores[a] || a - b;
  let best: number[] = [];
  let worst = Number.NEGATIVE_INFINITY;
  for (let v = FIRST_ITEM_ID; v < scores.length; v++) {
    const score = Math.fround(scores[v]);
    // Ids rise, so an item that equals the k-th best comes after it.
    if (!(score > worst)) continue;
    scores[v] = score;
    best.push(v);
    if (best.length < 2 * k + 16) continue;
    best = best.sort(better).slice(0, k);
    worst = scores[best[k - 1]];
  }
  return best.sort(better).slice(0, k);
}
