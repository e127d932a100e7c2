import { z } from 'zod';
import { assertTimes, defineFeature, outputName, parseState } from './feature.ts';
import { SumsOverTime, sumsSchema } from './sums-over-time.ts';

/**
 * Train events of the item strictly before this event, or ln(1 + events): never the event itself nor what comes after it,
 * so that it means the same in training and in evaluation.
 */
export const popularitySoFar = defineFeature({
  configSchema: z.strictObject({
    name: z.literal('popularitySoFar'),
    as: outputName.default('popularity'),
    log: z.boolean().default(true).describe('Takes ln(1 + events).'),
  }),
  columns: () => [],
  create({ as, log }) {
    const clicks = new SumsOverTime();
    return {
      outputs: () => [{ name: as, kind: 'number' }],
      fit(sessions, source) {
        assertTimes(sessions, 'popularitySoFar');
        for (const [i, code] of sessions.itemCodes.entries()) {
          clicks.add(source.rawItemId(code), sessions.timestampsMs[i], 1);
        }
      },
      transform(sessions, source) {
        assertTimes(sessions, 'popularitySoFar');
        return {
          [as]: Float32Array.from(sessions.itemCodes, (code, i) => {
            const { count } = clicks.before(source.rawItemId(code), sessions.timestampsMs[i]);
            return log ? Math.log1p(count) : count;
          }),
        };
      },
      toJSON: () => clicks.toJSON(),
      restore: (state) => clicks.restore(parseState(sumsSchema, state, 'popularitySoFar')),
    };
  },
});
