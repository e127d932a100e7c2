import { z } from 'zod';
import { defineFeature, parseState } from './feature.ts';
import { Moments, momentsSchema } from './moments.ts';
import { createNumberFeature, numberOptions } from './number-feature.ts';

const stateSchema = z.object({ low: z.number().nullable(), high: z.number().nullable(), moments: momentsSchema });

/** (x - min) / (max - min) over the train events, cut to 0 … 1 for values outside. A constant column becomes 0. */
export const minMax = defineFeature({
  configSchema: z.strictObject({ name: z.literal('minMax'), ...numberOptions }),
  columns: ({ column }) => [{ name: column, kind: 'number' }],
  create(config) {
    let low: number | null = null;
    let high: number | null = null;
    const moments = new Moments();
    const apply = (value: number) => {
      if (low === null || high === null || high === low) return 0;
      return Math.min(1, Math.max(0, (value - low) / (high - low)));
    };
    return createNumberFeature('minMax', config.as ?? `scaled_${config.column}`, config, {
      fit(value) {
        moments.add(value);
        low = Math.min(low ?? value, value);
        high = Math.max(high ?? value, value);
      },
      mean: () => (moments.count === 0 ? 0 : apply(moments.mean)),
      apply,
      toJSON: () => ({ low, high, moments: moments.toJSON() }),
      restore(state) {
        const saved = parseState(stateSchema, state, 'minMax');
        low = saved.low;
        high = saved.high;
        moments.restore(saved.moments);
      },
    });
  },
});
