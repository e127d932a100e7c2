import { z } from 'zod';
import { defineLoss } from './loss-spec.ts';
import { createSampler, negativesSchema } from './negatives/negatives-schema.ts';
import { sampledLoss } from './sampled-loss.ts';

/**
 * Binary cross-entropy of the target against K negatives: −log σ(s) − Σⱼ log(1 − σ(zⱼ)), averaged over the targets.
 *
 * Kang & McAuley 2018 (SASRec), with K = 1 and negatives outside the session (`excludeSession: true`). With few
 * negatives the scores are overconfident: see `gbce`.
 */
export const bce = defineLoss({
  configSchema: z.strictObject({
    negatives: negativesSchema
      .prefault({ name: 'uniform', count: 1, per: 'position' })
      .describe('What the target is compared with, and how it is drawn.'),
  }),
  create: ({ negatives }) => sampledLoss(createSampler(negatives), { form: 'bce' }),
});
