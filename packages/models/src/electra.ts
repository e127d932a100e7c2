import { z } from 'zod';
import { defineModel } from './model-spec.ts';
import { bertOptions, createBert } from './neural/bert.ts';
import { discriminatorOptions } from './neural/discriminator.ts';
import { checkWidths } from './neural/item-options.ts';

export const electraSchema = checkWidths(
  z.strictObject({
    ...bertOptions,
    ...discriminatorOptions,
    discriminatorWeight: z
      .number()
      .positive()
      .default(1)
      .describe("Of the discriminator's loss beside the generator's; the paper's λ is 50, Transformers4Rec's 1."),
    bodies: z
      .enum(['tied', 'separate'])
      .default('tied')
      .describe(
        'Generator and discriminator: `tied`: one body; `separate`: bodies of their own over the same item vectors.',
      ),
  }),
);

/**
 * ELECTRA over the items of a session (Clark et al. 2020, section 2): a generator predicts hidden items, its samples take
 * their places, and a discriminator says of every position whether its item is the true one. Both losses train the item
 * vectors. The next item is predicted by the generator, from the session and one hidden position after it.
 *
 * Differs from the paper: with `tied` both are one body, as in Transformers4Rec, so that what the discriminator learns
 * serves the ranking; with `separate` the generator is as large as the discriminator, since it is what ranks.
 */
export const electra = defineModel({
  kind: 'neural',
  configSchema: electraSchema,
  attention: () => 'bidirectional',
  discriminates: () => true,
  objective: () => 'replacedToken',
  create({ discriminatorWeight, samplingTemperature, bodies, ...config }, size) {
    const discriminator = { weight: discriminatorWeight, samplingTemperature, isShared: bodies === 'tied' };
    return createBert('electra', { ...config, shareBlocks: false, discriminator }, size);
  },
});
