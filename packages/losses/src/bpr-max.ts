import { z } from 'zod';
import { defineLoss } from './loss-spec.ts';
import { createSampler, negativesSchema } from './negatives/negatives-schema.ts';
import { sampledLoss } from './sampled-loss.ts';
import { pairwiseSchema } from './score-activation.ts';

/**
 * BPR against the hardest negatives: −log Σⱼ wⱼ σ(s − zⱼ) + λ Σⱼ wⱼ zⱼ², w = softmax of z over the negatives, 0 where there are
 * none.
 *
 * Hidasi & Karatzoglou 2018. Differs from the authors' code: logarithms of sums are taken exactly, where that
 * adds 1e-24.
 */
export const bprMax = defineLoss({
  configSchema: pairwiseSchema({
    negatives: negativesSchema
      .prefault({ name: 'popularity', alpha: 0.5, count: 256, per: 'batch' })
      .describe('What the target is compared with, and how it is drawn.'),
    bpreg: z.number().min(0).default(1).describe("λ: weight of the penalty on the negatives' scores."),
  }),
  create: ({ negatives, bpreg, elu, tanh }) =>
    sampledLoss(createSampler(negatives), { form: 'bprMax', bpreg, elu, tanh }),
});
