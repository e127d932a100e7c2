import { z } from 'zod';
import { defineModel } from './model-spec.ts';
import { bertOptions, createBert } from './neural/bert.ts';
import { checkWidths } from './neural/item-options.ts';

export const bertSchema = checkWidths(
  z.strictObject({
    ...bertOptions,
    shareBlocks: z.boolean().default(false).describe("One block's weights used `numBlocks` times."),
  }),
);

/**
 * BERT over the items of a session (Devlin et al. 2019, "BERT", section 3, as Transformers4Rec uses it): two-way attention,
 * so hidden items are predicted from both sides; asked for the next item it sees the session and one hidden position.
 *
 * Differs from the paper: no segment vectors and no next-sentence objective, since a session is one segment; the output
 * layer is what `head` says.
 */
export const bert = defineModel({
  kind: 'neural',
  configSchema: bertSchema,
  attention: () => 'bidirectional',
  create: (config, size) => createBert('bert', config, size),
});
