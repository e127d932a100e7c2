import { z } from 'zod';
import { defineLoss } from './loss-spec.ts';
import { createSampler, negativesSchema } from './negatives/negatives-schema.ts';
import { correctionSchema, sampledSoftmaxLoss } from './sampled-loss.ts';

export const sampledSoftmaxSchema = z
  .strictObject({
    negatives: negativesSchema
      .prefault({ name: 'popularity' })
      .describe('What the target is compared with, and how it is drawn.'),
    correction: correctionSchema.describe(
      "`both`: target and negatives, as Bengio & Senécal and GRU4Rec do; `negatives`: these alone, which makes the sum of their exponentials an unbiased estimate of the full softmax's; `none`.",
    ),
    temperature: z.number().positive().default(1).describe('Logits are divided by it.'),
  })
  .superRefine(({ negatives, correction }, context) => {
    if (negatives.name !== 'dynamicHard' || correction === 'none') return;
    const message = "dynamicHard has no known probabilities; expected 'none'";
    context.addIssue({ code: 'custom', path: ['correction'], message });
  });

/**
 * Softmax over the target and K negatives instead of all items, logits corrected by logQ:
 *
 * −log( e^(s − ln Q(target)) / (e^(s − ln Q(target)) + Σⱼ e^(zⱼ − ln Q(j))) ), s and z being hidden · table[item] / τ + bias / τ
 *
 * and Q(i) how many times item i is expected among the negatives. Without the correction frequent items, drawn more often,
 * would be pushed down more. A negative that is the target takes no part.
 *
 * Bengio & Senécal 2008 (adaptive importance sampling); Jean et al. 2015, §3.
 */
export const sampledSoftmax = defineLoss({
  configSchema: sampledSoftmaxSchema,
  create: ({ negatives, temperature, correction }) =>
    sampledSoftmaxLoss(createSampler(negatives), temperature, correction),
});
