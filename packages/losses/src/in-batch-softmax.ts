import { z } from 'zod';
import { defineLoss } from './loss-spec.ts';
import { inBatch } from './negatives/in-batch.ts';
import { correctionSchema, sampledSoftmaxLoss } from './sampled-loss.ts';

/**
 * Softmax over the targets of the batch: every row's negatives are the targets of the others, each as often as it occurs,
 * corrected by ln of how often it is expected there (its share of the train events times N − 1). Occurrences of the row's own
 * target take no part.
 *
 * Yi et al. 2019 (sampling-bias-corrected neural modeling), with one difference: the shares are counted on the train
 * windows, where the paper estimates them from the stream.
 */
export const inBatchSoftmax = defineLoss({
  configSchema: z.strictObject({
    correction: correctionSchema.describe('Whether logits are corrected by how often items occur in the batch.'),
    temperature: z.number().positive().default(1).describe('Logits are divided by it.'),
    excludeSession: z
      .boolean()
      .default(false)
      .describe("Leaves the items of the row's own session out, past and future ones."),
  }),
  create: ({ temperature, correction, excludeSession }) =>
    sampledSoftmaxLoss(inBatch.create({ name: 'inBatch', excludeSession }), temperature, correction),
});
