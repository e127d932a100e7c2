import { z } from 'zod';
import { defineFeature, parseState } from './feature.ts';
import { logOnePlus } from './log.ts';
import { Moments, momentsSchema } from './moments.ts';
import { createNumberFeature, numberOptions } from './number-feature.ts';

/** (x - mean) / standard deviation over the train events, of x or of ln(1 + x). A constant column becomes 0. */
export const standardise = defineFeature({
  configSchema: z.strictObject({
    name: z.literal('standardise'),
    ...numberOptions,
    log: z.boolean().default(false).describe('Takes ln(1 + x) first.'),
  }),
  columns: ({ column }) => [{ name: column, kind: 'number' }],
  create(config) {
    const moments = new Moments();
    const input = (value: number) => (config.log ? logOnePlus(value, 'standardise', config.column) : value);
    return createNumberFeature('standardise', config.as ?? `standard_${config.column}`, config, {
      fit: (value) => moments.add(input(value)),
      mean: () => 0,
      apply: (value) => (input(value) - moments.mean) / (moments.deviation || 1),
      toJSON: () => moments.toJSON(),
      restore: (state) => moments.restore(parseState(momentsSchema, state, 'standardise')),
    });
  },
});
