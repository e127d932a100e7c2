import { z } from 'zod';
import { defineModel } from './model-spec.ts';
import { blockOptions, checkWidths, itemOptions, positionOptions } from './neural/item-options.ts';
import { createLayers } from './neural/layers.ts';
import { ParameterStore } from './parameter-store.ts';
import { createSASRecOn } from './sasrec.ts';

export const gsasrecSchema = checkWidths(
  z.strictObject({
    ...blockOptions,
    dropout: z.number().min(0).lt(1).default(0.5).describe('Share of the numbers that a training step drops.'),
    feedForwardSize: z
      .int()
      .min(1)
      .optional()
      .describe("Width of the point-wise feed-forward layer; the paper's is hiddenSize."),
    ...positionOptions,
    ...itemOptions,
    embedding: z
      .enum(['tied', 'separate'])
      .default('separate')
      .describe('`tied`: one table for input and output; `separate`: one each.'),
  }),
);

/** ε of every layer norm, the authors' code's. */
const EPSILON = 1e-5;

/**
 * gSASRec (Petrov & Macdonald 2023, "gSASRec: Reducing Overconfidence in Sequential Recommendation Trained with Negative
 * Sampling", sections 4 and 5): SASRec as the authors' code has it — `norm: query`, heads laid side by side without a
 * projection, an item table of its own for the output layer — taught by a binary cross-entropy with many negatives whose
 * positive part is calibrated (eqs. 8 and 12): the loss `gbce`, which it has when an experiment names none.
 *
 * Differs from the authors' code: positions are counted from the oldest visible event unless `positionsFrom: newest` (see `sasrec`), and there is no padding
 * to mask.
 */
export const gsasrec = defineModel({
  kind: 'neural',
  configSchema: gsasrecSchema,
  loss: () => 'gbce',
  create(config, size) {
    const layers = createLayers(new ParameterStore(size.seed), { epsilon: EPSILON, layerStd: config.layerStd });
    return createSASRecOn(layers, 'gsasrec', { ...config, norm: 'query', scaleItems: false, mixesHeads: false }, size);
  },
});
