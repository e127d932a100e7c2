import { dropout, NO_DROPOUT } from '@nimue/ops';
import { z } from 'zod';
import type { ModelSize } from '../model-spec.ts';
import type { NeuralModel } from '../next-item-model.ts';
import { ParameterStore } from '../parameter-store.ts';
import { blockOptions, itemOptions } from './item-options.ts';
import { addItemVectors } from './item-vectors.ts';
import { createLayers, dropoutsOf } from './layers.ts';
import { createNeuralModel } from './neural-model.ts';
import { addTransformer } from './transformer.ts';

/** Options of the BERT family. */
export const bertOptions = {
  ...blockOptions,
  /** Width of the feed-forward layer; 4 · hiddenSize when not given. */
  feedForwardSize: z.int().min(1).optional(),
  ...itemOptions,
};

const bertShape = z.strictObject(bertOptions);
export type BertConfig = z.infer<typeof bertShape> & { readonly shareBlocks: boolean };

/** ε of every layer norm, BERT's. */
const EPSILON = 1e-12;

/**
 * Two-way self-attention (Devlin et al. 2019, "BERT", section 3): item and position vectors, normalised, then post-norm
 * blocks with GELU feed-forward layers. With `shareBlocks` one block's weights serve all (ALBERT); item vectors of another
 * width are projected after their norm, as in ALBERT and ELECTRA.
 */
export function createBert(name: string, config: BertConfig, { numRows, seed }: ModelSize): NeuralModel {
  const { hiddenSize, itemSize = hiddenSize, maxLength } = config;
  const layers = createLayers(new ParameterStore(seed), { epsilon: EPSILON });
  const items = addItemVectors(layers, { ...config, numRows, maxPositions: maxLength });
  layers.addNorm('itemNorm', itemSize);
  const transformer = addTransformer(layers, {
    ...config,
    feedForwardSize: config.feedForwardSize ?? 4 * hiddenSize,
    causal: false,
    norm: 'post',
    activation: 'gelu',
    attentionDropout: config.dropout,
    innerDropout: 0,
    isShared: config.shareBlocks,
  });
  return createNeuralModel({
    name,
    attention: 'bidirectional',
    parameters: layers.parameters,
    maxLength,
    body(batch, mode) {
      const drop = dropoutsOf(mode);
      const normed = layers.norm('itemNorm', items.embed(batch, NO_DROPOUT));
      const x = items.project(dropout(normed, drop(config.dropout)));
      return transformer.apply(x, batch.offsets, drop);
    },
    ...items,
  });
}
