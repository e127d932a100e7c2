import { z } from 'zod';
import { assertTimes, columnOf, defineFeature, outputName, parseState, textsOf } from './feature.ts';
import { SumsOverTime, sumsSchema } from './sums-over-time.ts';

const stateSchema = z.object({ categories: sumsSchema, all: sumsSchema });

/**
 * Mean of a column of numbers (bought or not, say) over the train events of the same category, strictly before this event,
 * drawn towards the mean of all categories:
 * (sum of the category + smoothing · mean of all) / (events of the category + smoothing).
 *
 * Taking earlier events only keeps an event's own target out of its feature, as ordered target statistics do (Prokhorenkova
 * et al. 2018, "CatBoost", section 3.2); here time gives the order. A missing category gets the mean of all.
 */
export const targetStatistic = defineFeature({
  configSchema: z.strictObject({
    name: z.literal('targetStatistic'),
    column: z.string().min(1).describe('Column of categories.'),
    target: z.string().min(1).describe('Column of numbers that are averaged; events without one do not count.'),
    as: outputName.optional(),
    smoothing: z.number().min(0).default(20).describe('How many events of the mean of all each category starts with.'),
  }),
  columns: ({ column, target }) => [
    { name: column, kind: 'text' },
    { name: target, kind: 'number' },
  ],
  create({ column, target, as = `${target}_by_${column}`, smoothing }) {
    const categories = new SumsOverTime();
    const all = new SumsOverTime();
    return {
      outputs: () => [{ name: as, kind: 'number' }],
      fit(sessions, source) {
        assertTimes(sessions, 'targetStatistic');
        const numbers = columnOf(sessions, { name: target, kind: 'number' }, 'targetStatistic');
        const text = textsOf(sessions, column, source, 'targetStatistic');
        for (let i = 0; i < numbers.length; i++) {
          if (!Number.isFinite(numbers[i])) continue;
          const value = text(i);
          all.add('', sessions.timestampsMs[i], numbers[i]);
          if (value !== undefined) categories.add(value, sessions.timestampsMs[i], numbers[i]);
        }
      },
      transform(sessions, source) {
        assertTimes(sessions, 'targetStatistic');
        const text = textsOf(sessions, column, source, 'targetStatistic');
        return {
          [as]: Float32Array.from(sessions.timestampsMs, (timeMs, i) => {
            const overall = all.before('', timeMs);
            const mean = overall.count === 0 ? 0 : overall.sum / overall.count;
            const value = text(i);
            const own = value === undefined ? { count: 0, sum: 0 } : categories.before(value, timeMs);
            const weight = own.count + smoothing;
            return weight === 0 ? mean : (own.sum + smoothing * mean) / weight;
          }),
        };
      },
      toJSON: () => ({ categories: categories.toJSON(), all: all.toJSON() }),
      restore(state) {
        const saved = parseState(stateSchema, state, 'targetStatistic');
        categories.restore(saved.categories);
        all.restore(saved.all);
      },
    };
  },
});
