import { defineLoss } from './loss-spec.ts';
import { createSampler, negativesSchema } from './negatives/negatives-schema.ts';
import { sampledLoss } from './sampled-loss.ts';
import { pairwiseSchema } from './score-activation.ts';

/**
 * The negatives below the target and near zero: 1/K Σⱼ ( σ(zⱼ − s) + σ(zⱼ²) ), over the negatives that are not the target.
 *
 * Hidasi et al. 2016 (GRU4Rec) with `negatives: { name: inBatch }`. Differs from the authors' code: the target itself is
 * never one of the K.
 */
export const top1 = defineLoss({
  configSchema: pairwiseSchema({
    negatives: negativesSchema
      .prefault({ name: 'uniform', count: 1, per: 'position' })
      .describe('What the target is compared with, and how it is drawn.'),
  }),
  create: ({ negatives, elu, tanh }) => sampledLoss(createSampler(negatives), { form: 'top1', elu, tanh }),
});
