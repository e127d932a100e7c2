import { z } from 'zod';
import { columnOf, defineFeature, outputName, parseState, textsOf } from './feature.ts';
import { Moments, momentsSchema } from './moments.ts';

const stateSchema = z.object({ categories: z.array(z.tuple([z.string(), momentsSchema])) });

/**
 * (price - mean) / mean, with the mean price of the train events of the same category. A missing price or category, one that
 * no train event has, and a mean of 0 give `missing`, so that 0 is "as usual" by default.
 */
export const relativePrice = defineFeature({
  configSchema: z.strictObject({
    name: z.literal('relativePrice'),
    column: z.string().min(1).describe('Column of prices.'),
    category: z.string().min(1).describe('Column of categories.'),
    as: outputName.default('relativePrice'),
    missing: z.number().default(0).describe('What an event without price gets.'),
  }),
  columns: ({ column, category }) => [
    { name: column, kind: 'number' },
    { name: category, kind: 'text' },
  ],
  create({ column, category, as, missing }) {
    let prices = new Map<string, Moments>();
    return {
      outputs: () => [{ name: as, kind: 'number' }],
      fit(sessions, source) {
        const numbers = columnOf(sessions, { name: column, kind: 'number' }, 'relativePrice');
        const text = textsOf(sessions, category, source, 'relativePrice');
        for (let i = 0; i < numbers.length; i++) {
          const value = text(i);
          if (value === undefined || !Number.isFinite(numbers[i])) continue;
          const own = prices.get(value) ?? new Moments();
          own.add(numbers[i]);
          prices.set(value, own);
        }
      },
      transform(sessions, source) {
        const numbers = columnOf(sessions, { name: column, kind: 'number' }, 'relativePrice');
        const text = textsOf(sessions, category, source, 'relativePrice');
        return {
          [as]: Float32Array.from(numbers, (price, i) => {
            const mean = prices.get(text(i) ?? '')?.mean ?? 0;
            return Number.isFinite(price) && text(i) !== undefined && mean !== 0 ? (price - mean) / mean : missing;
          }),
        };
      },
      toJSON: () => ({ categories: [...prices].map(([value, moments]) => [value, moments.toJSON()]) }),
      restore(state) {
        const { categories } = parseState(stateSchema, state, 'relativePrice');
        prices = new Map(
          categories.map(([value, saved]) => {
            const moments = new Moments();
            moments.restore(saved);
            return [value, moments];
          }),
        );
      },
    };
  },
});
