import { replaceTargets, type SessionBatch } from '@nimue/batch';
import { deriveSeed, sampleItems } from '@nimue/ops';
import type { Tensor2D } from '@tensorflow/tfjs';
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
  /** Logits of "this item is not the true one" [T, 1]; `states` [T, D]. */
  logits(states: Tensor2D): Tensor2D;
}

/** Adds `discriminator.dense` and `discriminator.prediction`: v · GELU(h W + b) + c, ELECTRA's head. */
export function addDiscriminator(layers: Layers, hiddenSize: number): Discriminator {
  layers.addLinear('discriminator.dense', hiddenSize, hiddenSize);
  layers.addLinear('discriminator.prediction', hiddenSize, 1);
  return {
    logits: (states) => layers.linear('discriminator.prediction', layers.linear('discriminator.dense', states, 'gelu')),
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
  return (batch, seed, targetLoss, pairLoss) => {
    const generatorMode: EncodeMode = { training: true, seed };
    const states = args.generatorStates(batch, generatorMode);
    const hidden = parts.head(parts.inputs?.addContext(states, batch, batch.targets.positions) ?? states);
    const itemTable = parts.itemTable(generatorMode);
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
    return pairLoss({ generatorLoss, logits: discriminator.logits(judged), isReplaced, weight });
  };
}

/** All features hidden: those of the hidden items alone would say which items can be replaced ones. */
function withoutFeatures({ features }: SessionBatch): Pick<SessionBatch, 'features'> {
  if (!features) return {};
  const hidden = Object.entries(features).map(([name, column]) => [name, column.slice().fill(0)] as const);
  return { features: Object.fromEntries(hidden) };
}
