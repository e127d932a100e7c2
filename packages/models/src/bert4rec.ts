import { z } from 'zod';
import { defineModel } from './model-spec.ts';
import { bertOptions, createBert } from './neural/bert.ts';
import { checkWidths, HEADS } from './neural/item-options.ts';

export const bert4recSchema = checkWidths(
  z.strictObject({
    ...bertOptions,
    head: z.enum(HEADS).default('gelu').describe('What is compared with the item vectors: see the other models.'),
    itemBias: z.boolean().default(true).describe('Adds a learned number per item to its score.'),
  }),
);

/**
 * BERT4Rec (Sun et al. 2019, eqs. 1–7): two-way attention over the session with some items hidden, which are predicted from
 * both sides: softmax(GELU(h W + b) Eᵀ + bᵢ). Asked for the next item it sees the session and one hidden position after it.
 *
 * Differs from the paper: item and position vectors are normalised before the first block, as in its code (and BERT). Its
 * code also normalises after GELU, which eq. 7 does not.
 */
export const bert4rec = defineModel({
  kind: 'neural',
  configSchema: bert4recSchema,
  attention: () => 'bidirectional',
  create: (config, size) => createBert('bert4rec', { ...config, shareBlocks: false }, size),
});
