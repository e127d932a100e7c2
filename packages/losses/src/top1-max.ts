import { defineLoss } from './loss-spec.ts';
import { createSampler, negativesSchema } from './negatives/negatives-schema.ts';
import { sampledLoss } from './sampled-loss.ts';
import { pairwiseSchema } from './score-activation.ts';

/**
 * TOP1 against the hardest negatives: Σⱼ wⱼ ( σ(zⱼ − s) + σ(zⱼ²) ), w = softmax of z over the negatives, 0 where there are none.
 *
 * Hidasi & Karatzoglou 2018.
 */
export const top1Max = defineLoss({
  configSchema: pairwiseSchema({
    negatives: negativesSchema
      .prefault({ name: 'popularity', alpha: 0.5, count: 256, per: 'batch' })
      .describe('What the target is compared with, and how it is drawn.'),
  }),
  create: ({ negatives, elu, tanh }) => sampledLoss(createSampler(negatives), { form: 'top1Max', elu, tanh }),
});
