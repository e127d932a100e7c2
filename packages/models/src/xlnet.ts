import { factorizationMask, type SessionBatch } from '@nimue/batch';
import { dropout, gatherRows, NO_DROPOUT } from '@nimue/ops';
import type { Tensor2D } from '@tensorflow/tfjs';
import { z } from 'zod';
import { defineModel, type ModelSize } from './model-spec.ts';
import { addDiscriminator, discriminatorOptions, replacedTokenLoss } from './neural/discriminator.ts';
import { blockOptions, checkWidths, itemOptions } from './neural/item-options.ts';
import { addItemVectors } from './neural/item-vectors.ts';
import { createLayers, type DropoutStream, dropoutsOf } from './neural/layers.ts';
import { createNeuralModel } from './neural/neural-model.ts';
import { addRelativeTransformer } from './neural/relative-transformer.ts';
import type { EncodeMode, NeuralModel } from './next-item-model.ts';
import { ParameterStore } from './parameter-store.ts';

export const xlnetSchema = checkWidths(
  z.strictObject({
    ...blockOptions,
    attention: z
      .enum(['causal', 'bidirectional', 'twoStream'])
      .default('bidirectional')
      .describe(
        'What a position sees; it decides the objective: `causal`, `masked` (`bidirectional`) or `permutation` (`twoStream`).',
      ),
    feedForwardSize: z
      .int()
      .min(1)
      .optional()
      .describe('Width of the feed-forward layer; 4 · hiddenSize when not given.'),
    inputDropout: z
      .number()
      .min(0)
      .lt(1)
      .optional()
      .describe('Drops item vectors on their way in; `dropout` when not given.'),
    discriminatorWeight: z
      .number()
      .min(0)
      .default(0)
      .describe(
        'Above 0 the body is generator and discriminator of replaced items; `attention` must be bidirectional.',
      ),
    ...discriminatorOptions,
    ...itemOptions,
  }),
).refine(({ attention, discriminatorWeight }) => discriminatorWeight === 0 || attention === 'bidirectional', {
  error: 'discriminatorWeight needs attention: bidirectional, since replaced items are told by both sides',
  path: ['discriminatorWeight'],
});

type XLNetConfig = z.infer<typeof xlnetSchema>;

/** ε of every layer norm, XLNet's. */
const EPSILON = 1e-12;

/**
 * XLNet over the items of a session (Yang et al. 2019, sections 2.2–2.4), in the four forms of Transformers4Rec: causal,
 * two-way with hidden items, permutation with two streams, and two-way as generator and discriminator of replaced items
 * (`discriminatorWeight`, tied as in `electra`). Attention is by content and by distance, never by absolute position.
 * With two streams, the query stream starts from the vector of the mask item and never sees the item it predicts.
 *
 * Differs from the paper: no segments and no memory of earlier ones, since a session is one segment; every target of a session is read from one pass.
 */
export const xlnet = defineModel({
  kind: 'neural',
  configSchema: xlnetSchema,
  attention: ({ attention }) => attention,
  discriminates: ({ discriminatorWeight }) => discriminatorWeight > 0,
  objective: ({ attention, discriminatorWeight }) =>
    discriminatorWeight > 0
      ? 'replacedToken'
      : { causal: 'causal', bidirectional: 'masked', twoStream: 'permutation' }[attention],
  create: (config, size) => createXLNet(config, size),
});

function createXLNet(config: XLNetConfig, { numRows, seed, features }: ModelSize): NeuralModel {
  const { hiddenSize, maxLength, attention, inputDropout = config.dropout, discriminatorWeight } = config;
  const layers = createLayers(new ParameterStore(seed), { epsilon: EPSILON, layerStd: config.layerStd });
  const items = addItemVectors(layers, { ...config, numRows, features });
  if (attention === 'twoStream') {
    layers.parameters.add('queryStart', [1, hiddenSize], { kind: 'normal', standardDeviation: config.initStd });
  }
  const transformer = addRelativeTransformer(layers, {
    ...config,
    feedForwardSize: config.feedForwardSize ?? 4 * hiddenSize,
    activation: 'gelu',
    sharesBiases: false,
  });

  const twoStream = (batch: SessionBatch, x: Tensor2D, drop: DropoutStream): Tensor2D => {
    const start = gatherRows(layers.parameters.matrix('queryStart'), new Int32Array(batch.itemIds.length));
    const masks = { content: factorizationMask(batch, 'content'), query: factorizationMask(batch, 'query') };
    return transformer.applyTwoStream(x, dropout(start, drop(inputDropout)), batch.offsets, masks, drop);
  };
  const body = (batch: SessionBatch, mode: EncodeMode): Tensor2D => {
    const drop = dropoutsOf(mode);
    const x = dropout(items.project(items.embed(batch, NO_DROPOUT, mode)), drop(inputDropout));
    const states = mode.memory
      ? transformer.applyToNewest(x, mode.memory)
      : attention === 'twoStream'
        ? twoStream(batch, x, drop)
        : transformer.apply(x, batch.offsets, { causal: attention === 'causal' }, drop);
    return dropout(states, drop(config.dropout));
  };
  const remembersSessions = attention === 'causal';
  const parts = {
    name: 'xlnet',
    attention,
    remembersSessions,
    parameters: layers.parameters,
    maxLength,
    body,
    ...items,
  };
  if (discriminatorWeight === 0) return createNeuralModel(parts);
  return createNeuralModel({
    ...parts,
    trainingLoss: replacedTokenLoss({
      parts,
      generatorStates: (batch, mode) => gatherRows(body(batch, mode), batch.targets.positions),
      discriminatorStates: body,
      discriminator: addDiscriminator(layers, hiddenSize),
      weight: discriminatorWeight,
      samplingTemperature: config.samplingTemperature,
    }),
  });
}
