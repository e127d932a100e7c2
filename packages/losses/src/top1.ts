import { z } from 'zod';
import { defineLoss } from './loss-spec.ts';
import { createSampler, negativesSchema } from './negatives/negatives-schema.ts';
import { sampledLoss } from './sampled-loss.ts';

/**
 * The negatives below the target and near zero: 1/K Σⱼ ( σ(zⱼ − s) + σ(zⱼ²) ), over the negatives that are not the target.
 *
 * Hidasi et al. 2016 (GRU4Rec) with `negatives: { name: inBatch }`. Differs from the authors' code: the target itself is
 * never one of the K.
 */
export const top1 = defineLoss({
  configSchema: z.strictObject({
    negatives: negativesSchema
      .prefault({ name: 'uniform', count: 1, per: 'position' })
      .describe('What the target is compared with, and how it is drawn.'),
  }),
  create: ({ negatives }) => sampledLoss(createSampler(negatives), { form: 'top1' }),
});
