import type { SessionBatch } from '@nimue/batch';
import { gatherRows, type RankedTopItems, rankAndTopK, rankOfTarget, type TopItems, topK } from '@nimue/ops';
import type { Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { EncodeMode, NeuralModel, RankingOptions, TargetRankingOptions } from './next-item-model.ts';
import { rankAmong } from './rank-among.ts';
import { withCandidates } from './with-candidates.ts';

/** Hidden states at the target positions [N, D]; without a copy when every position is one. */
export function hiddenAtTargets(
  model: Pick<NeuralModel, 'encode' | 'encodeTargets'>,
  batch: SessionBatch,
  mode: EncodeMode,
): Tensor2D {
  if (model.encodeTargets) return model.encodeTargets(batch, mode);
  const hidden = model.encode(batch, mode);
  const { positions } = batch.targets;
  return positions.length === hidden.shape[0] ? hidden : gatherRows(hidden, positions);
}

type Encoder = Pick<NeuralModel, 'encode' | 'encodeTargets' | 'itemTable' | 'itemBias'>;

/** `rankTargets` of every neural model. */
export function rankByHidden(model: Encoder, batch: SessionBatch, options: TargetRankingOptions = {}): Int32Array {
  const { among, ties } = options;
  return withHidden(model, batch, options, (hidden, itemTable) => {
    if (among) return rankAmong(hidden, outputOf(model, itemTable), batch.targets.itemIds, among, ties);
    return withCandidates(outputOf(model, itemTable), options, ({ table, bias, excluded, idsOf }) =>
      rankOfTarget(hidden, table, idsOf(batch.targets.itemIds), { bias, excluded, ties }),
    );
  });
}

/** `recommend` of every neural model: the same hidden states and scores as `rankByHidden`. */
export function recommendByHidden(
  model: Encoder,
  batch: SessionBatch,
  k: number,
  options: RankingOptions = {},
): TopItems {
  return withHidden(model, batch, options, (hidden, itemTable) =>
    withCandidates(outputOf(model, itemTable), options, ({ table, bias, excluded, itemsOf }) =>
      itemsOf(topK(hidden, table, k, { bias, excluded })),
    ),
  );
}

/** `rankAndRecommend` of every neural model: one pass over the catalogue. */
export function rankAndRecommendByHidden(
  model: Encoder,
  batch: SessionBatch,
  k: number,
  options: RankingOptions = {},
): RankedTopItems {
  return withHidden(model, batch, options, (hidden, itemTable) =>
    withCandidates(outputOf(model, itemTable), options, ({ table, bias, excluded, idsOf, itemsOf }) =>
      itemsOf(rankAndTopK(hidden, table, idsOf(batch.targets.itemIds), k, { bias, excluded })),
    ),
  );
}

/** The output layer with its table made once: of some models it is computed. */
function outputOf(model: Encoder, itemTable: Tensor2D): Pick<NeuralModel, 'itemTable' | 'itemBias'> {
  return { itemTable: () => itemTable, itemBias: () => model.itemBias() };
}

function withHidden<T>(
  model: Encoder,
  batch: SessionBatch,
  { memory }: RankingOptions,
  use: (hidden: Tensor2D, itemTable: Tensor2D) => T,
): T {
  const [hidden, itemTable] = tf.tidy(() => [
    hiddenAtTargets(model, batch, { training: false, memory }),
    // A table that is a parameter is not ours to dispose.
    model.itemTable().clone(),
  ]);
  try {
    return use(hidden, itemTable);
  } finally {
    tf.dispose([hidden, itemTable]);
  }
}
