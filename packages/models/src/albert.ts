import { z } from 'zod';
import { defineModel } from './model-spec.ts';
import { bertOptions, createBert } from './neural/bert.ts';
import { checkWidths } from './neural/item-options.ts';

export const albertSchema = checkWidths(
  z.strictObject({
    ...bertOptions,
    shareBlocks: z.boolean().default(true).describe("One block's weights used `numBlocks` times."),
  }),
);

/**
 * ALBERT (Lan et al. 2020, "ALBERT: A Lite BERT", section 3.1): BERT whose blocks share their weights, and whose item
 * vectors may be narrower than its states (`itemSize`, with `head: linear`).
 *
 * Differs from the paper: no sentence-order objective, since a session has no sentences; GELU is the exact one, as in BERT.
 */
export const albert = defineModel({
  kind: 'neural',
  configSchema: albertSchema,
  attention: () => 'bidirectional',
  create: (config, size) => createBert('albert', config, size),
});
