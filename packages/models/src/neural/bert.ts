import type { SessionBatch } from '@nimue/batch';
import { dropout, gatherRows, NO_DROPOUT } from '@nimue/ops';
import type { Tensor2D } from '@tensorflow/tfjs';
import { z } from 'zod';
import type { ModelSize } from '../model-spec.ts';
import type { EncodeMode, NeuralModel } from '../next-item-model.ts';
import { ParameterStore } from '../parameter-store.ts';
import { addDiscriminator, replacedTokenLoss } from './discriminator.ts';
import { blockOptions, itemOptions } from './item-options.ts';
import { addItemVectors, type ItemVectors } from './item-vectors.ts';
import { createLayers, dropoutsOf, type Layers } from './layers.ts';
import { createNeuralModel } from './neural-model.ts';
import { addTransformer } from './transformer.ts';

/** Options of the BERT family. */
export const bertOptions = {
  ...blockOptions,
  feedForwardSize: z
    .int()
    .min(1)
    .optional()
    .describe('Width of the feed-forward layer; 4 · hiddenSize when not given.'),
  ...itemOptions,
};

const bertShape = z.strictObject(bertOptions);
export type BertConfig = z.infer<typeof bertShape> & {
  readonly shareBlocks: boolean;
  /** What makes an ELECTRA of it. */
  readonly discriminator?: {
    readonly weight: number;
    readonly samplingTemperature: number;
    readonly isShared: boolean;
  };
};

/** ε of every layer norm, BERT's. */
const EPSILON = 1e-12;

/**
 * Two-way self-attention (Devlin et al. 2019, "BERT", section 3): item and position vectors, normalised, then post-norm
 * blocks with GELU feed-forward layers. With `shareBlocks` one block's weights serve all (ALBERT); item vectors of another
 * width are projected after their norm, as in ALBERT and ELECTRA.
 */
export function createBert(name: string, config: BertConfig, { numRows, seed, features }: ModelSize): NeuralModel {
  const { hiddenSize, maxLength } = config;
  const layers = createLayers(new ParameterStore(seed), { epsilon: EPSILON, layerStd: config.layerStd });
  const items = addItemVectors(layers, { ...config, numRows, features, maxPositions: maxLength });
  const body = addBertBody(layers, items, config, '');
  const parts = { name, attention: 'bidirectional' as const, parameters: layers.parameters, maxLength, body, ...items };
  if (!config.discriminator) return createNeuralModel(parts);
  const { isShared, ...rest } = config.discriminator;
  const discriminatorBody = isShared ? body : addBertBody(layers, items, config, 'discriminator.');
  const discriminator = addDiscriminator(layers, hiddenSize);
  return createNeuralModel({
    ...parts,
    trainingLoss: replacedTokenLoss({
      parts,
      generatorStates: (batch, mode) => gatherRows(body(batch, mode), batch.targets.positions),
      discriminatorStates: discriminatorBody,
      discriminator,
      ...rest,
    }),
  });
}

function addBertBody(layers: Layers, items: ItemVectors, config: BertConfig, prefix: string) {
  const { hiddenSize } = config;
  layers.addNorm(`${prefix}itemNorm`, items.width);
  const transformer = addTransformer(layers, {
    ...config,
    prefix,
    feedForwardSize: config.feedForwardSize ?? 4 * hiddenSize,
    causal: false,
    norm: 'post',
    activation: 'gelu',
    attentionDropout: config.dropout,
    innerDropout: 0,
    isShared: config.shareBlocks,
  });
  return (batch: SessionBatch, mode: EncodeMode): Tensor2D => {
    const drop = dropoutsOf(mode);
    const normed = layers.norm(`${prefix}itemNorm`, items.embed(batch, NO_DROPOUT, mode));
    const x = items.project(dropout(normed, drop(config.dropout)));
    return transformer.apply(x, batch.offsets, drop);
  };
}
