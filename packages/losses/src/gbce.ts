import { z } from 'zod';
import { defineLoss } from './loss-spec.ts';
import { createSampler, negativesSchema } from './negatives/negatives-schema.ts';
import { sampledLoss } from './sampled-loss.ts';

/**
 * Binary cross-entropy whose positive part is raised to the power β, so that few negatives do not make it overconfident:
 *
 * −β log σ(s) − Σⱼ log(1 − σ(zⱼ)), β = α (t (1 − 1/α) + 1/α), α = K / (number of items − 1)
 *
 * Petrov & Macdonald 2023 (gSASRec). Differs from the paper: the sum over the K + 1 terms is not divided by
 * K + 1, which scales the loss and no more; α is at most 1. K is the length of a shared list, a row's own target in it included.
 */
export const gbce = defineLoss({
  configSchema: z.strictObject({
    negatives: negativesSchema
      .prefault({ name: 'uniform', count: 256, per: 'position' })
      .describe('What the target is compared with, and how it is drawn.'),
    calibration: z
      .number()
      .min(0)
      .max(1)
      .default(0.75)
      .describe("t: 0 is plain BCE, 1 makes σ of a score the item's probability again."),
  }),
  create: ({ negatives, calibration }) => sampledLoss(createSampler(negatives), { form: 'gbce', calibration }),
});
