import type { SessionBatch } from '@nimue/batch';
import { deriveSeed, dropout, embed, gru, NO_DROPOUT } from '@nimue/ops';
import type { Tensor2D } from '@tensorflow/tfjs';
import { z } from 'zod';
import { defineModel, type ModelSize } from './model-spec.ts';
import type { EncodeMode, NeuralModel } from './next-item-model.ts';
import { ParameterStore } from './parameter-store.ts';
import { rankAndRecommendByHidden, rankByHidden, recommendByHidden } from './rank-by-hidden.ts';

export const gru4recSchema = z.strictObject({
  hiddenSize: z.int().min(1).default(64),
  numLayers: z.int().min(1).max(8).default(1),
  /** `tied`: one table for input and output ("constrained" in the original); `separate`: one each. */
  embedding: z.enum(['tied', 'separate']).default('tied'),
  /** Drops item vectors on their way in. */
  inputDropout: z.number().min(0).lt(1).default(0.25),
  /** Drops hidden states on their way out of every layer. */
  hiddenDropout: z.number().min(0).lt(1).default(0.1),
  /** Standard deviation of the item vectors at the start. */
  initStd: z.number().positive().default(0.1),
});

/**
 * GRU4Rec (Hidasi et al. 2016, "Session-based Recommendations with Recurrent Neural Networks"; constrained embedding:
 * Hidasi & Karatzoglou 2018): the hidden state after every click, from gated recurrent units over the item vectors, is
 * compared with every item's vector, plus an item bias.
 *
 * Differs from the paper: whole sessions are packed and unrolled instead of session-parallel mini-batches with truncated
 * gradients, and the state starts at zero; what a position sees is the same. The output activation is linear.
 */
export const gru4rec = defineModel({
  kind: 'neural',
  configSchema: gru4recSchema,
  create: (config, size) => createGRU4Rec(config, size),
});

function createGRU4Rec(config: z.infer<typeof gru4recSchema>, { numRows, seed }: ModelSize): NeuralModel {
  const { hiddenSize, numLayers, embedding, inputDropout, hiddenDropout, initStd } = config;
  const parameters = new ParameterStore(seed);
  parameters.add('items', [numRows, hiddenSize], { kind: 'normal', standardDeviation: initStd }, true);
  if (embedding === 'separate') {
    parameters.add('outputItems', [numRows, hiddenSize], { kind: 'normal', standardDeviation: initStd }, true);
  }
  parameters.add('itemBias', [numRows], { kind: 'zeros' }, true);
  for (let layer = 1; layer <= numLayers; layer++) {
    parameters.add(`gru${layer}.inputWeights`, [hiddenSize, 3 * hiddenSize], { kind: 'glorot' });
    parameters.add(`gru${layer}.recurrentWeights`, [hiddenSize, 3 * hiddenSize], { kind: 'glorot' });
    parameters.add(`gru${layer}.inputBias`, [3 * hiddenSize], { kind: 'zeros' });
    parameters.add(`gru${layer}.recurrentBias`, [3 * hiddenSize], { kind: 'zeros' });
  }

  function encode(batch: SessionBatch, mode: EncodeMode): Tensor2D {
    const drop = (rate: number, layer: number) =>
      mode.training ? { rate, seed: deriveSeed(mode.seed, layer) } : NO_DROPOUT;
    let hidden = embed(parameters.matrix('items'), batch.itemIds, { dropout: drop(inputDropout, 0) });
    for (let layer = 1; layer <= numLayers; layer++) {
      const states = gru(hidden, batch.offsets, {
        inputWeights: parameters.matrix(`gru${layer}.inputWeights`),
        recurrentWeights: parameters.matrix(`gru${layer}.recurrentWeights`),
        inputBias: parameters.vector(`gru${layer}.inputBias`),
        recurrentBias: parameters.vector(`gru${layer}.recurrentBias`),
      });
      hidden = dropout(states, drop(hiddenDropout, layer));
    }
    return hidden;
  }

  const model: NeuralModel = {
    kind: 'neural',
    name: 'gru4rec',
    parameters,
    get numRows() {
      return parameters.matrix('items').shape[0];
    },
    encode,
    itemTable: () => parameters.matrix(embedding === 'tied' ? 'items' : 'outputItems'),
    itemBias: () => parameters.vector('itemBias'),
    rankTargets: (batch, options) => rankByHidden(model, batch, options),
    recommend: (batch, k, options) => recommendByHidden(model, batch, k, options),
    rankAndRecommend: (batch, k, options) => rankAndRecommendByHidden(model, batch, k, options),
    resizeItems: (numRows) => parameters.resizeItems(numRows),
    dispose: () => parameters.dispose(),
  };
  return model;
}
