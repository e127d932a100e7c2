import { dropout, NO_DROPOUT } from '@nimue/ops';
import { z } from 'zod';
import { defineModel, type ModelSize } from './model-spec.ts';
import { blockOptions, checkWidths, itemOptions } from './neural/item-options.ts';
import { addItemVectors } from './neural/item-vectors.ts';
import { createLayers, dropoutsOf } from './neural/layers.ts';
import { createNeuralModel } from './neural/neural-model.ts';
import { addRelativeTransformer } from './neural/relative-transformer.ts';
import type { NeuralModel } from './next-item-model.ts';
import { ParameterStore } from './parameter-store.ts';

export const transformerXlSchema = checkWidths(
  z.strictObject({
    ...blockOptions,
    feedForwardSize: z
      .int()
      .min(1)
      .optional()
      .describe('Width of the feed-forward layer; 4 · hiddenSize when not given.'),
    ...itemOptions,
  }),
);

/** ε of every layer norm, Transformer-XL's. */
const EPSILON = 1e-5;

/**
 * Transformer-XL over the items of a session (Dai et al. 2019, section 3.3): causal post-norm blocks with ReLU feed-forward
 * layers whose attention is by content and by distance; one pair of biases u, v for all blocks.
 *
 * Differs from the paper: no memory of earlier segments, since a session is one segment and no other session is its past.
 */
export const transformerXl = defineModel({
  kind: 'neural',
  configSchema: transformerXlSchema,
  create: (config, size) => createTransformerXl(config, size),
});

function createTransformerXl(
  config: z.infer<typeof transformerXlSchema>,
  { numRows, seed, features }: ModelSize,
): NeuralModel {
  const layers = createLayers(new ParameterStore(seed), { epsilon: EPSILON, layerStd: config.layerStd });
  const items = addItemVectors(layers, { ...config, numRows, features });
  const transformer = addRelativeTransformer(layers, {
    ...config,
    feedForwardSize: config.feedForwardSize ?? 4 * config.hiddenSize,
    activation: 'relu',
    sharesBiases: true,
  });
  return createNeuralModel({
    name: 'transformerXl',
    remembersSessions: true,
    parameters: layers.parameters,
    maxLength: config.maxLength,
    body(batch, mode) {
      const drop = dropoutsOf(mode);
      const x = dropout(items.project(items.embed(batch, NO_DROPOUT, mode)), drop(config.dropout));
      const states = mode.memory
        ? transformer.applyToNewest(x, mode.memory)
        : transformer.apply(x, batch.offsets, { causal: true }, drop);
      return dropout(states, drop(config.dropout));
    },
    ...items,
  });
}
