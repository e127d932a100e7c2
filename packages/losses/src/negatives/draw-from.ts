import { FIRST_ITEM_ID } from '@nimue/batch';
import { z } from 'zod';
import type { ItemDistribution } from './item-distribution.ts';
import type { DrawnNegatives, NegativesRequest } from './negative-sampler.ts';
import { RandomBits } from './random-bits.ts';
import { createSessionMarks, sessionItems } from './session-marks.ts';

/** Most negatives per row or batch. */
export const MAX_NEGATIVES = 4096;

/** The options of samplers that draw from a distribution. */
export const drawFields = {
  count: z.int().min(1).max(MAX_NEGATIVES).default(256).describe('Number of negatives K.'),
  per: z
    .enum(['batch', 'position'])
    .default('batch')
    .describe('`batch`: one list for all rows, the cheaper; `position`: K for every row.'),
  excludeSession: z
    .boolean()
    .default(false)
    .describe(
      "Leaves the items of the row's own session out, past and future ones: `per: position` draws others instead, in a list for the whole batch they take no part in the row.",
    ),
};

export interface DrawOptions {
  readonly count: number;
  readonly per: 'batch' | 'position';
  readonly excludeSession: boolean;
}

/** Redraws of a place before the items that remain are looked up one by one. */
const MAX_REDRAWS = 64;

/** Draws K negatives for the batch, or K for every row without its target and, when asked, its session's items. */
export function drawFrom(
  distribution: ItemDistribution,
  request: NegativesRequest,
  { count, per, excludeSession }: DrawOptions,
): DrawnNegatives {
  const random = new RandomBits(request.seed);
  const logCount = Math.log(count);
  const before = (itemId: number) => logCount + distribution.logProbability(itemId);
  if (per === 'batch') {
    const shared = new Int32Array(count);
    distribution.fill(shared, random);
    const excluded = excludeSession ? { excluded: sessionItems(request) } : {};
    return {
      negatives: { shared, ...excluded },
      numNegatives: count,
      logExpectedCount: (itemId) => before(itemId),
    };
  }
  const { targetIds, numTableRows } = request;
  const own = new Int32Array(targetIds.length * count);
  distribution.fill(own, random);
  const excluded = excludeSession ? createSessionMarks(request) : undefined;
  const one = new Int32Array(1);
  for (let n = 0, i = 0; n < targetIds.length; n++) {
    const target = targetIds[n];
    excluded?.moveTo(n);
    const isExcluded = (itemId: number) => itemId === target || excluded?.has(itemId) === true;
    for (const end = i + count; i < end; i++) {
      if (excluded === undefined ? own[i] !== target : !isExcluded(own[i])) continue;
      let redraws = 0;
      do {
        distribution.fill(one, random);
      } while (isExcluded(one[0]) && ++redraws < MAX_REDRAWS);
      own[i] = redraws < MAX_REDRAWS ? one[0] : drawAmongRest(distribution, numTableRows, isExcluded, random, target);
    }
  }
  let logLeft: Float32Array | undefined;
  return {
    negatives: { own },
    numNegatives: count,
    logExpectedCount(itemId, row) {
      if (row === undefined) return before(itemId);
      logLeft ??= logProbabilityLeft(distribution, request, excludeSession);
      return before(itemId) - logLeft[row];
    },
  };
}

/** One draw by going through all items: for rows that exclude nearly everything. The target itself when nothing is left. */
function drawAmongRest(
  distribution: ItemDistribution,
  numTableRows: number,
  isExcluded: (itemId: number) => boolean,
  random: RandomBits,
  target: number,
): number {
  let total = 0;
  let drawn = target;
  for (let id = FIRST_ITEM_ID; id < numTableRows; id++) {
    if (isExcluded(id)) continue;
    const weight = Math.exp(distribution.logProbability(id));
    total += weight;
    if (weight > 0 && random.next() * 2 ** -32 * total < weight) drawn = id;
  }
  return drawn;
}

/** ln of the probability that a draw is not excluded, for every row [N]. */
function logProbabilityLeft(
  distribution: ItemDistribution,
  request: NegativesRequest,
  excludeSession: boolean,
): Float32Array {
  const { targetIds } = request;
  const excluded = excludeSession ? createSessionMarks(request) : undefined;
  const left = new Float32Array(targetIds.length);
  let session = -1;
  for (let n = 0; n < left.length; n++) {
    if (excluded && excluded.moveTo(n) === session) {
      left[n] = left[n - 1];
      continue;
    }
    session = excluded?.moveTo(n) ?? -1;
    let taken = 0;
    for (const id of excluded?.items() ?? [targetIds[n]]) taken += Math.exp(distribution.logProbability(id));
    left[n] = Math.log(Math.max(Number.MIN_VALUE, 1 - taken));
  }
  return left;
}
