import type { SessionBatch } from '@nimue/batch';
import type { RankedTopItems } from '@nimue/ops';
import type { NextItemModel, RankingOptions } from './next-item-model.ts';

/**
 * The rank of every target [N] and the k best items of its row [N, k]: what `rankTargets` and `recommend` give, by one
 * pass over the catalogue where the model can.
 *
 * @throws when k exceeds the number of items, or a score is not finite
 */
export function rankAndRecommend(
  model: NextItemModel,
  batch: SessionBatch,
  k: number,
  options?: RankingOptions,
): RankedTopItems {
  if (model.rankAndRecommend) return model.rankAndRecommend(batch, k, options);
  return { ranks: model.rankTargets(batch, options), ...model.recommend(batch, k, options) };
}
