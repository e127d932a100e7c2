import { dropout, gatherRows } from '@nimue/ops';
import type { Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { defineModel, type ModelSize } from './model-spec.ts';
import { addGruLayers } from './neural/gru-layers.ts';
import { checkWidths, itemOptions } from './neural/item-options.ts';
import { addItemVectors } from './neural/item-vectors.ts';
import { createLayers, dropoutsOf } from './neural/layers.ts';
import { createNeuralModel } from './neural/neural-model.ts';
import { prefixesOf, weightedSums } from './neural/prefixes.ts';
import type { SessionMemory } from './neural/session-memory.ts';
import type { NeuralModel } from './next-item-model.ts';
import { ParameterStore } from './parameter-store.ts';

export const narmSchema = checkWidths(
  z.strictObject({
    hiddenSize: z.int().min(1).default(64).describe('Width of the hidden states.'),
    numLayers: z.int().min(1).max(8).default(1).describe('Recurrent layers, one over the other.'),
    inputDropout: z.number().min(0).lt(1).default(0.25).describe('Drops item vectors on their way in.'),
    dropout: z
      .number()
      .min(0)
      .lt(1)
      .default(0.5)
      .describe('Drops the joined representation before it is compared with items.'),
    maxLength: z
      .int()
      .min(1)
      .optional()
      .describe(
        'The newest events of a session that the model sees; unlimited when not given. Work grows with its square.',
      ),
    ...itemOptions,
  }),
);

/**
 * NARM (Li et al. 2017, "Neural Attentive Session-based Recommendation", eqs. 4–9): gated recurrent states h of the clicks;
 * the newest is the global representation, Σⱼ αⱼ hⱼ with αⱼ = v · σ(A₁ hₜ + A₂ hⱼ) the local one; both together, times B,
 * are compared with item vectors.
 *
 * Differs from the paper: the recurrent units have biases; every click is a target with the clicks up to it visible, where
 * the paper trains on prefixes one by one (the numbers are the same).
 */
export const narm = defineModel({
  kind: 'neural',
  configSchema: narmSchema,
  create: (config, size) => createNarm(config, size),
});

function createNarm(config: z.infer<typeof narmSchema>, { numRows, seed, features }: ModelSize): NeuralModel {
  const { hiddenSize, numLayers, inputDropout, maxLength } = config;
  const layers = createLayers(new ParameterStore(seed), { epsilon: 0 });
  const items = addItemVectors(layers, { ...config, numRows, features, takesItemSize: true });
  const gru = addGruLayers(layers.parameters, { inputSize: items.width, hiddenSize, numLayers });
  layers.addLinear('newest', hiddenSize, hiddenSize, { bias: false });
  layers.addLinear('each', hiddenSize, hiddenSize, { bias: false });
  layers.addLinear('attention', hiddenSize, 1, { bias: false });
  layers.addLinear('global', hiddenSize, hiddenSize, { bias: false });
  layers.addLinear('local', hiddenSize, hiddenSize, { bias: false });

  return createNeuralModel({
    name: 'narm',
    parameters: layers.parameters,
    maxLength,
    remembersSessions: true,
    bodyAt(batch, positions, mode) {
      const drop = dropoutsOf(mode);
      const { memory } = mode;
      const x = items.embed(batch, drop(inputDropout), mode);
      const states = memory ? memory.append('states', gru.applyToNewest(x, memory)) : gru.apply(x, batch.offsets);
      const prefixes = prefixesOf(batch.offsets, positions);
      const newest = gatherRows(states, positions);
      const each = memory
        ? memory.append('each', layers.linear('each', gatherRows(states, newPositions(memory, states))))
        : layers.linear('each', states);
      const fromNewest = gatherRows(layers.linear('newest', newest), prefixes.owners);
      const fromEach = gatherRows(each, prefixes.members);
      const weights = layers.linear('attention', tf.sigmoid(tf.add(fromNewest, fromEach)) as Tensor2D);
      const local = weightedSums(weights, states, prefixes.members, prefixes);
      return tf.add(
        layers.linear('global', dropout(newest, drop(config.dropout))),
        layers.linear('local', dropout(local, drop(config.dropout))),
      );
    },
    ...items,
  });
}

/** Positions of the events that the memory lacked. */
function newPositions({ numSeen }: SessionMemory, { shape }: Tensor2D): Int32Array {
  return Int32Array.from({ length: shape[0] - numSeen }, (_, n) => numSeen + n);
}
