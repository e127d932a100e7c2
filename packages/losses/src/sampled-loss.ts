import { FIRST_ITEM_ID } from '@nimue/batch';
import { deriveSeed, type SampledHeadOptions, sampledHead } from '@nimue/ops';
import type { Scalar } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import type { Loss, LossInputs } from './loss-spec.ts';
import { type DrawnNegatives, logQOf, type NegativeSampler } from './negatives/negative-sampler.ts';

/** Keeps the draws of a step apart from its dropout. */
const SEED_COUNTER = 0x6e6567;

/** Which logits are lowered by the log of how often a candidate is expected among the negatives. */
export const correctionSchema = z.enum(['both', 'negatives', 'none']).default('both');

type Correction = z.output<typeof correctionSchema>;

/** @throws when the seed is missing or a target is a reserved id */
export function drawNegatives(sampler: NegativeSampler, inputs: LossInputs): DrawnNegatives {
  const { hidden, itemTable, itemBias, targetIds, seed, batch, itemHistory } = inputs;
  if (seed === undefined)
    throw new Error('losses: the seed is missing; a loss that draws negatives needs one per step');
  const reserved = targetIds.findIndex((id) => id < FIRST_ITEM_ID);
  if (reserved >= 0) throw new Error(`losses: targetIds[${reserved}] is the reserved id ${targetIds[reserved]}`);
  return sampler({
    seed: deriveSeed(seed, SEED_COUNTER),
    targetIds,
    numTableRows: itemTable.shape[0],
    itemCounts: itemHistory?.counts,
    batch,
    scores: { hidden, itemTable, itemBias },
  });
}

/** A loss of `sampledHead` on negatives of a sampler. */
export function sampledLoss(sampler: NegativeSampler, options: Omit<SampledHeadOptions, 'negatives'>): Loss {
  return (inputs) => {
    const { negatives } = drawNegatives(sampler, inputs);
    const { hidden, itemTable, itemBias, targetIds, batch } = inputs;
    const weights = batch?.targets.weights;
    return sampledHead(hidden, itemTable, targetIds, { ...options, negatives, bias: itemBias, weights });
  };
}

/** Softmax over the target and the negatives, with the correction of both by what is expected of the sampler. */
export function sampledSoftmaxLoss(sampler: NegativeSampler, temperature: number, correction: Correction): Loss {
  return (inputs): Scalar => {
    const { itemTable, targetIds } = inputs;
    const drawn = drawNegatives(sampler, inputs);
    const known = correction === 'none' ? undefined : logQOf(drawn, targetIds);
    const logQ =
      correction === 'negatives' && known ? { ...known, targets: new Float32Array(targetIds.length) } : known;
    const hidden = temperature === 1 ? inputs.hidden : tf.div(inputs.hidden, temperature);
    const bias = inputs.itemBias && temperature !== 1 ? tf.div(inputs.itemBias, temperature) : inputs.itemBias;
    return sampledHead(hidden as typeof inputs.hidden, itemTable, targetIds, {
      negatives: drawn.negatives,
      logQ,
      bias: bias as typeof inputs.itemBias,
      weights: inputs.batch?.targets.weights,
    });
  };
}
