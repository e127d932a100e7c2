import { FIRST_ITEM_ID, type SessionBatch } from '@nimue/batch';
import { NonFiniteScoreError, type TopItems, UNRANKED } from '@nimue/ops';
import type { RankingOptions, TargetRankingOptions } from './next-item-model.ts';
import { rankAmongScores } from './rank-among.ts';
import { assertCandidates } from './with-candidates.ts';

/**
 * Writes the score of every item as the successor of `position` into `scores` [V], which comes in as zeros; higher is better.
 * Scores are compared as float32, the precision that a list carries: what differs by rounding alone is a tie. A model whose
 * scores are 0 but for a few items tells `onlyScored` their ids, each once: then no other is looked at.
 */
export type ScoreItems = (
  batch: SessionBatch,
  position: number,
  scores: Float64Array,
  onlyScored: (itemIds: Int32Array) => void,
) => void;

/**
 * `rankTargets` of every model that scores by counting: the rule of `rankOfTarget`, ties count against.
 *
 * @param name what an error begins with
 * @throws NonFiniteScoreError when a score is NaN or infinite
 */
export function rankByScores(
  score: ScoreItems,
  numRows: number,
  batch: SessionBatch,
  options: TargetRankingOptions = {},
  name = 'rankByScores',
): Int32Array {
  const { positions, itemIds } = batch.targets;
  const { among, ties = 'conservative' } = options;
  const table = new ScoreTable(score, numRows, name);
  const { scores } = table;
  if (among) {
    let scored = -1;
    const scoreOf = (n: number, id: number) => {
      if (n !== scored) table.fill(batch, n);
      scored = n;
      if (!(id < numRows)) throw new Error(`rankTargets: among has item id ${id}, expected 0 … ${numRows - 1}`);
      return Math.fround(scores[id]);
    };
    return rankAmongScores(scoreOf, positions.length, itemIds, among, ties);
  }
  const hidden = hiddenItems(numRows, options);
  return Int32Array.from(positions, (_position, n) => {
    const target = itemIds[n];
    if (target < FIRST_ITEM_ID || hidden?.[target]) return UNRANKED;
    const scored = table.fill(batch, n);
    const targetScore = Math.fround(scores[target]);
    table.hide(n, options, hidden);
    let rank = 1;
    const compare = (v: number) => {
      if (v === target) return;
      const other = Math.fround(scores[v]);
      if (other > targetScore || (ties === 'conservative' && other === targetScore)) rank++;
    };
    // Items that nothing was said of have 0 and are worse than this one.
    if (scored && targetScore > 0) for (const v of scored) compare(v);
    else for (let v = FIRST_ITEM_ID; v < numRows; v++) compare(v);
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
  name = 'recommendByScores',
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
  const table = new ScoreTable(score, numRows, name);
  const { scores } = table;
  const hidden = hiddenItems(numRows, options);
  positions.forEach((_position, n) => {
    const scored = table.fill(batch, n);
    table.hide(n, options, hidden);
    const best = (scored && bestScored(scores, scored, k)) ?? bestItems(scores, k);
    best.forEach((v, place) => {
      top.itemIds[n * k + place] = v;
      top.scores[n * k + place] = scores[v];
    });
  });
  return top;
}

/** The scores of one target after another, in one array that holds zeros before each. */
class ScoreTable {
  readonly scores: Float64Array;
  readonly #score: ScoreItems;
  readonly #name: string;
  /** Items that may not have 0; undefined: any. */
  #scored: Int32Array | undefined = new Int32Array(0);
  /** Items hidden since. */
  #hidden: Int32Array | undefined;

  constructor(score: ScoreItems, numRows: number, name: string) {
    this.#score = score;
    this.#name = name;
    this.scores = new Float64Array(numRows);
  }

  /**
   * Scores the items for target n.
   *
   * @returns the items that may have another score than 0, where they are few; valid until the next call
   * @throws NonFiniteScoreError: NaN compares as neither better nor worse, and would rank first
   */
  fill(batch: SessionBatch, n: number): Int32Array | undefined {
    const { scores } = this;
    if (this.#scored) {
      for (const v of this.#scored) scores[v] = 0;
      for (const v of this.#hidden ?? []) scores[v] = 0;
    } else scores.fill(0);
    this.#hidden = undefined;
    const told: Int32Array[] = [];
    this.#score(batch, batch.targets.positions[n], scores, (itemIds) => told.push(itemIds));
    const assertFinite = (v: number) => {
      if (!Number.isFinite(scores[v])) throw new NonFiniteScoreError(this.#name, n, v, scores[v]);
    };
    const scored = told.pop();
    if (scored) for (const v of scored) assertFinite(v);
    else for (let v = FIRST_ITEM_ID; v < scores.length; v++) assertFinite(v);
    this.#scored = scored;
    return scored;
  }

  /** Gives the excluded items of target n, and those that are no candidates, the lowest score. */
  hide(n: number, { excluded }: RankingOptions, hidden?: Uint8Array): void {
    const { scores } = this;
    if (hidden) {
      this.#scored = undefined;
      for (let v = 0; v < scores.length; v++) if (hidden[v]) scores[v] = Number.NEGATIVE_INFINITY;
    }
    if (!excluded) return;
    this.#hidden = excluded.itemIds.subarray(excluded.offsets[n], excluded.offsets[n + 1]);
    for (const v of this.#hidden) scores[v] = Number.NEGATIVE_INFINITY;
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

/** `bestItems` out of those that have a score; undefined when fewer than k score above 0. */
function bestScored(scores: Float64Array, scored: Int32Array, k: number): number[] | undefined {
  const positive = scored.filter((v) => v >= FIRST_ITEM_ID && Math.fround(scores[v]) > 0);
  return positive.length < k ? undefined : bestItems(scores, k, positive.sort());
}

/**
 * The k best items by their scores as float32, best first, equal scores by rising id; hidden ones left out. Small lists out of a
 * large catalogue are cheap: one look at every score. Those of the items that come back are rounded in place.
 *
 * @param among only these, ids rising
 */
function bestItems(scores: Float64Array, k: number, among?: Int32Array): number[] {
  const better = (a: number, b: number) => scores[b] - scores[a] || a - b;
  let best: number[] = [];
  let worst = Number.NEGATIVE_INFINITY;
  const end = among?.length ?? scores.length;
  for (let at = among ? 0 : FIRST_ITEM_ID; at < end; at++) {
    const v = among ? among[at] : at;
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
