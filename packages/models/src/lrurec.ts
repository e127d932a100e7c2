import { dropout, linearRecurrence, NO_DROPOUT } from '@nimue/ops';
import type { Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { defineModel, type ModelSize } from './model-spec.ts';
import { checkWidths, itemOptions } from './neural/item-options.ts';
import { addItemVectors } from './neural/item-vectors.ts';
import { createLayers, dropoutsOf } from './neural/layers.ts';
import { createNeuralModel } from './neural/neural-model.ts';
import type { SessionMemory } from './neural/session-memory.ts';
import type { NeuralModel } from './next-item-model.ts';
import { ParameterStore } from './parameter-store.ts';

export const lrurecSchema = checkWidths(
  z.strictObject({
    hiddenSize: z.int().min(1).default(64).describe('Width of item vectors and hidden states.'),
    numBlocks: z.int().min(1).max(24).default(2).describe('Blocks, one over the other.'),
    stateSize: z.int().min(1).optional().describe('Complex states per block; 2 · hiddenSize when not given.'),
    feedForwardSize: z
      .int()
      .min(1)
      .optional()
      .describe('Width of the feed-forward layer; 4 · hiddenSize when not given.'),
    dropout: z.number().min(0).lt(1).default(0.2).describe('Share of the numbers that a training step drops.'),
    maxLength: z
      .int()
      .min(1)
      .optional()
      .describe('The newest events of a session that the model sees; unlimited when not given.'),
    ...itemOptions,
    itemBias: z.boolean().default(true).describe('Adds a learned number per item to its score.'),
  }),
);

/** ε of every layer norm, the original's. */
const EPSILON = 1e-5;

/**
 * LRURec (Yue et al. 2024, "Linear Recurrent Units for Sequential Recommendation", section 3): blocks of a diagonal complex
 * recurrence hₜ = λ ∘ hₜ₋₁ + γ ∘ (B xₜ + b) with λ = exp(−exp ν + i exp θ), whose Re(C hₜ + c) is added to xₜ and
 * normalised, and of a GELU feed-forward layer. Work grows linearly with a session's length: for long histories.
 *
 * Differs from the original: B xₜ + b keeps the original's complex form in two real products; there is no padding to skip.
 */
export const lrurec = defineModel({
  kind: 'neural',
  configSchema: lrurecSchema,
  create: (config, size) => createLRURec(config, size),
});

function createLRURec(config: z.infer<typeof lrurecSchema>, { numRows, seed, features }: ModelSize): NeuralModel {
  const { hiddenSize, numBlocks, maxLength } = config;
  const { stateSize = 2 * hiddenSize, feedForwardSize = 4 * hiddenSize } = config;
  const layers = createLayers(new ParameterStore(seed), { epsilon: EPSILON });
  const { parameters } = layers;
  const items = addItemVectors(layers, { ...config, numRows, features });
  layers.addNorm('itemNorm', hiddenSize);
  const blocks = Array.from({ length: numBlocks }, (_, i) => `block${i + 1}`);
  for (const block of blocks) {
    // Real parts in the first columns (rows of the way out), imaginary parts in the last.
    layers.addLinear(`${block}.in`, hiddenSize, 2 * stateSize);
    layers.addLinear(`${block}.out`, 2 * stateSize, hiddenSize);
    parameters.add(`${block}.nuLog`, [stateSize], { kind: 'ringRadius', smallest: 0.8, largest: 0.99 });
    parameters.add(`${block}.thetaLog`, [stateSize], { kind: 'ringAngle' });
    parameters.add(`${block}.gammaLog`, [stateSize], { kind: 'constant', value: Math.log(Math.sqrt(1 - 0.9 ** 2)) });
    layers.addNorm(`${block}.recurrenceNorm`, hiddenSize);
    layers.addLinear(`${block}.expand`, hiddenSize, feedForwardSize);
    layers.addLinear(`${block}.contract`, feedForwardSize, hiddenSize);
    layers.addNorm(`${block}.feedForwardNorm`, hiddenSize);
  }

  /** Re(C h + c) for the states of a block. */
  const recur = (block: string, x: Tensor2D, offsets: Int32Array, memory?: SessionMemory): Tensor2D => {
    const radius = tf.exp(tf.neg(tf.exp(parameters.vector(`${block}.nuLog`))));
    const angle = tf.exp(parameters.vector(`${block}.thetaLog`));
    const decay: Tensor2D = tf.stack([tf.mul(radius, tf.cos(angle)), tf.mul(radius, tf.sin(angle))]) as Tensor2D;
    const gamma = tf.exp(parameters.vector(`${block}.gammaLog`));
    const inputs: Tensor2D = tf.mul(layers.linear(`${block}.in`, x), tf.concat([gamma, gamma]));
    const states = memory ? recurOnwards(block, inputs, decay, memory) : linearRecurrence(inputs, offsets, decay);
    return layers.linear(`${block}.out`, states);
  };

  return createNeuralModel({
    name: 'lrurec',
    parameters,
    maxLength,
    remembersSessions: true,
    body(batch, mode) {
      const drop = dropoutsOf(mode);
      const vectors = items.project(items.embed(batch, NO_DROPOUT, mode));
      let x = layers.norm('itemNorm', dropout(vectors, drop(config.dropout)));
      for (const block of blocks) {
        const recurred = recur(block, x, batch.offsets, mode.memory);
        x = layers.norm(`${block}.recurrenceNorm`, recurred, { residual: x, dropout: drop(config.dropout) });
        const inner = dropout(layers.linear(`${block}.expand`, x, 'gelu'), drop(config.dropout));
        const fed = layers.linear(`${block}.contract`, inner);
        x = layers.norm(`${block}.feedForwardNorm`, fed, { residual: x, dropout: drop(config.dropout) });
      }
      return x;
    },
    ...items,
  });
}

/** `linearRecurrence` of the newest events x [n, 2 S] of a session, from the state that is kept of those before. */
function recurOnwards(block: string, x: Tensor2D, decay: Tensor2D, memory: SessionMemory): Tensor2D {
  const before = memory.last(block);
  // A first event that is the state itself: h₁ = λ ∘ h₀ + x₁ with h₀ = 0.
  const inputs: Tensor2D = before ? tf.concat([before, x], 0) : x;
  const states = linearRecurrence(inputs, Int32Array.of(0, inputs.shape[0]), decay);
  memory.keepLast(block, states);
  return before ? (tf.slice(states, [1, 0]) as Tensor2D) : states;
}
