import { FIRST_ITEM_ID } from '@nimue/batch';
import { NonFiniteScoreError, UNRANKED } from '@nimue/ops';
import type { Tensor2D } from '@tensorflow/tfjs';
import type { NeuralModel, TargetRankingOptions } from './next-item-model.ts';

/**
 * The rank of every target among a few items of its own [N · M]: 1 + those that score as high or higher.
 *
 * @throws when the items are not M per target, or a score is not finite
 */
export function rankAmong(
  hidden: Tensor2D,
  model: Pick<NeuralModel, 'itemTable' | 'itemBias'>,
  targetIds: Int32Array,
  among: Int32Array,
  ties: TargetRankingOptions['ties'] = 'conservative',
): Int32Array {
  const [numTargets, width] = hidden.shape;
  const states = hidden.dataSync();
  const table = model.itemTable().dataSync();
  const bias = model.itemBias()?.dataSync();
  const score = (n: number, id: number) => {
    let sum = bias?.[id] ?? 0;
    for (let d = 0; d < width; d++) sum += states[n * width + d] * table[id * width + d];
    if (!Number.isFinite(sum)) throw new NonFiniteScoreError('rankAmong', n, id, sum);
    return Math.fround(sum);
  };
  return rankAmongScores(score, numTargets, targetIds, among, ties);
}

/** The rule by itself, for any way to score. */
export function rankAmongScores(
  score: (n: number, id: number) => number,
  numTargets: number,
  targetIds: Int32Array,
  among: Int32Array,
  ties: TargetRankingOptions['ties'] = 'conservative',
): Int32Array {
  const perTarget = numTargets === 0 ? 0 : among.length / numTargets;
  if (!Number.isInteger(perTarget)) {
    throw new Error(`rankAmong: ${among.length} items are not the same number for each of ${numTargets} targets`);
  }
  return targetIds.map((target, n) => {
    if (target < FIRST_ITEM_ID) return UNRANKED;
    const own = score(n, target);
    let rank = 1;
    for (let i = n * perTarget; i < (n + 1) * perTarget; i++) {
      if (among[i] === target) continue;
      const other = score(n, among[i]);
      if (other > own || (ties === 'conservative' && other === own)) rank++;
    }
    return rank;
  });
}
