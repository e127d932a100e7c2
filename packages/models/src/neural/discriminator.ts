import { replaceTargets, type SessionBatch } from '@nimue/batch';
import { deriveSeed, sampleItems } from '@nimue/ops';
import type { Scalar, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import type { EncodeMode, NeuralModel } from '../next-item-model.ts';
import type { Layers } from './layers.ts';
import type { NeuralParts } from './neural-model.ts';

/** Options of a model that can be taught by the replaced-token objective. */
export const discriminatorOptions = {
  samplingTemperature: z
    .number()
    .positive()
    .default(1)
    .describe("What the generator's samples are drawn with: softmax(scores / temperature)."),
};

/** Tells of every position whether its item is the true one. */
export interface Discriminator {
  /** Mean binary cross-entropy over all positions; `states` [T, D]. */
  loss(states: Tensor2D, isReplaced: Uint8Array): Scalar;
}

/** Adds `discriminator.dense` and `discriminator.prediction`: v · GELU(h W + b) + c, ELECTRA's head. */
export function addDiscriminator(layers: Layers, hiddenSize: number): Discriminator {
  layers.addLinear('discriminator.dense', hiddenSize, hiddenSize);
  layers.addLinear('discriminator.prediction', hiddenSize, 1);
  return {
    loss(states, isReplaced) {
      const dense = layers.linear('discriminator.dense', states, 'gelu');
      const logits = layers.linear('discriminator.prediction', dense);
      const labels = tf.tensor2d(Float32Array.from(isReplaced), [isReplaced.length, 1]);
      // −y ln σ(z) − (1 − y) ln(1 − σ(z)) = softplus(z) − y z
      return tf.mean(tf.sub(tf.softplus(logits), tf.mul(labels, logits))) as Scalar;
    },
  };
}

export interface ReplacedTokenArgs {
  readonly parts: Pick<NeuralParts, 'head' | 'itemTable' | 'itemBias' | 'inputs'>;
  /** The generator's states at the targets [N, D]. */
  generatorStates(batch: SessionBatch, mode: EncodeMode): Tensor2D;
  /** The discriminator's states at every position [T, D]. */
  discriminatorStates(batch: SessionBatch, mode: EncodeMode): Tensor2D;
  readonly discriminator: Discriminator;
  readonly weight: number;
  readonly samplingTemperature: number;
}

/**
 * Loss of the generator on the hidden items + weight · loss of the discriminator on the session with the generator's
 * samples in their places (Clark et al. 2020, "ELECTRA", section 2). No gradient passes through the samples. On a batch of
 * the masked objective, which lacks the true items, the generator's loss alone.
 */
export function replacedTokenLoss(args: ReplacedTokenArgs): NonNullable<NeuralModel['trainingLoss']> {
  const { parts, discriminator, weight, samplingTemperature } = args;
  return (batch, seed, targetLoss) => {
    const states = args.generatorStates(batch, { training: true, seed });
    const hidden = parts.head(parts.inputs?.addContext(states, batch, batch.targets.positions) ?? states);
    const itemTable = parts.itemTable();
    const itemBias = parts.itemBias();
    const generatorLoss = targetLoss({ hidden, itemTable, itemBias, targetIds: batch.targets.itemIds });
    if (!batch.originalItemIds) return generatorLoss;
    const sampled = sampleItems(hidden, itemTable, {
      bias: itemBias,
      temperature: samplingTemperature,
      seed: deriveSeed(seed, 0x5a),
    });
    const { itemIds, isReplaced } = replaceTargets(batch, sampled);
    // What is asked of every item is whether it is the true one.
    const mode: EncodeMode = { training: true, seed: deriveSeed(seed, 0xd1), keepsItems: true };
    const judged = args.discriminatorStates({ ...batch, itemIds, ...withoutFeatures(batch) }, mode);
    return tf.add(generatorLoss, tf.mul(discriminator.loss(judged, isReplaced), weight)) as Scalar;
  };
}

/** All features hidden: those of the hidden items alone would say which items can be replaced ones. */
function withoutFeatures({ features }: SessionBatch): Pick<SessionBatch, 'features'> {
  if (!features) return {};
  const hidden = Object.entries(features).map(([name, column]) => [name, column.slice().fill(0)] as const);
  return { features: Object.fromEntries(hidden) };
}
