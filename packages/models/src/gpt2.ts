import { z } from 'zod';
import { defineModel, type ModelSize } from './model-spec.ts';
import { blockOptions, checkWidths, itemOptions } from './neural/item-options.ts';
import { addItemVectors } from './neural/item-vectors.ts';
import { createLayers, dropoutsOf } from './neural/layers.ts';
import { createNeuralModel } from './neural/neural-model.ts';
import { addTransformer } from './neural/transformer.ts';
import type { NeuralModel } from './next-item-model.ts';
import { ParameterStore } from './parameter-store.ts';

export const gpt2Schema = checkWidths(
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

/** ε of every layer norm, GPT-2's. */
const EPSILON = 1e-5;

/**
 * GPT-2 over the items of a session (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", section
 * 2.3): causal pre-norm blocks with GELU feed-forward layers and a norm at the end.
 *
 * Differs from the original: GELU is the exact one, not the approximation by tanh that was once cheaper; weights start as the
 * other models' do, so that they compare.
 */
export const gpt2 = defineModel({
  kind: 'neural',
  configSchema: gpt2Schema,
  create: (config, size) => createGpt2(config, size),
});

function createGpt2(config: z.infer<typeof gpt2Schema>, { numRows, seed, features }: ModelSize): NeuralModel {
  const { hiddenSize, maxLength, dropout } = config;
  const layers = createLayers(new ParameterStore(seed), { epsilon: EPSILON, layerStd: config.layerStd });
  const items = addItemVectors(layers, { ...config, numRows, features, maxPositions: maxLength });
  const transformer = addTransformer(layers, {
    ...config,
    feedForwardSize: config.feedForwardSize ?? 4 * hiddenSize,
    causal: true,
    norm: 'pre',
    activation: 'gelu',
    attentionDropout: dropout,
    innerDropout: 0,
  });
  return createNeuralModel({
    name: 'gpt2',
    remembersSessions: true,
    parameters: layers.parameters,
    maxLength,
    body(batch, mode) {
      const drop = dropoutsOf(mode);
      const x = items.project(items.embed(batch, drop(dropout), mode));
      return transformer.apply(x, batch.offsets, drop, mode.memory);
    },
    ...items,
  });
}
