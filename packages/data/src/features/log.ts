import { z } from 'zod';
import { defineFeature, parseState } from './feature.ts';
import { Moments, momentsSchema } from './moments.ts';
import { createNumberFeature, numberOptions } from './number-feature.ts';

/** ln(1 + x) of a column of numbers ≥ 0. */
export const log = defineFeature({
  configSchema: z.strictObject({ name: z.literal('log'), ...numberOptions }),
  columns: ({ column }) => [{ name: column, kind: 'number' }],
  create(config) {
    const logs = new Moments();
    const apply = (value: number) => logOnePlus(value, 'log', config.column);
    return createNumberFeature('log', config.as ?? `log_${config.column}`, config, {
      fit: (value) => logs.add(apply(value)),
      mean: () => logs.mean,
      apply,
      toJSON: () => logs.toJSON(),
      restore: (state) => logs.restore(parseState(momentsSchema, state, 'log')),
    });
  },
});

/** @throws for a negative number, which has no such logarithm for a feature's purposes */
export function logOnePlus(value: number, feature: string, column: string): number {
  if (value < 0) throw new Error(`${feature}: column '${column}' holds ${value}; a logarithm needs numbers ≥ 0`);
  return Math.log1p(value);
}
