import { defineLoss } from './loss-spec.ts';
import { createSampler, negativesSchema } from './negatives/negatives-schema.ts';
import { sampledLoss } from './sampled-loss.ts';
import { pairwiseSchema } from './score-activation.ts';

/**
 * Bayesian personalised ranking: 1/K Σⱼ −log σ(s − zⱼ), over the negatives that are not the target.
 *
 * Rendle et al. 2009; Hidasi et al. 2016 (GRU4Rec) with `negatives: { name: inBatch }`; their code counts
 * the target itself as one of the K, which adds a constant.
 */
export const bpr = defineLoss({
  configSchema: pairwiseSchema({
    negatives: negativesSchema
      .prefault({ name: 'uniform', count: 1, per: 'position' })
      .describe('What the target is compared with, and how it is drawn.'),
  }),
  create: ({ negatives, elu, tanh }) => sampledLoss(createSampler(negatives), { form: 'bpr', elu, tanh }),
});
