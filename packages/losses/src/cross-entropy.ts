import { softmaxHead } from '@nimue/ops';
import { z } from 'zod';
import { defineLoss } from './loss-spec.ts';

export const crossEntropySchema = z.strictObject({
  temperature: z.number().positive().default(1).describe('Logits are divided by it.'),
  labelSmoothing: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe("Share of the target's mass that is spread over all items (Szegedy et al. 2016, §7)."),
});

/**
 * Cross-entropy of the next item over the whole catalogue: −log softmax(hidden · tableᵀ / τ)[target], averaged over the
 * targets, each by its weight where they have some. Reserved ids are no items and take no part in the softmax. A position that is already perfect counts in the
 * mean like any other.
 */
export const crossEntropy = defineLoss({
  configSchema: crossEntropySchema,
  create:
    ({ temperature, labelSmoothing }) =>
    ({ hidden, itemTable, itemBias, targetIds, batch }) =>
      softmaxHead(hidden, itemTable, targetIds, {
        bias: itemBias,
        temperature,
        labelSmoothing,
        weights: batch?.targets.weights,
      }),
});
