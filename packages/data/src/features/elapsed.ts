import { z } from 'zod';
import { assertTimes, defineFeature, outputName } from './feature.ts';

/** Seconds since the previous event of the session, or ln(1 + seconds); 0 for the first. */
export const elapsed = defineFeature({
  configSchema: z.strictObject({
    name: z.literal('elapsed'),
    as: outputName.default('elapsed'),
    log: z.boolean().default(true).describe('Takes ln(1 + seconds).'),
    maxSeconds: z.number().positive().optional().describe('Longer pauses count as this long.'),
  }),
  columns: () => [],
  create: ({ as, log, maxSeconds = Number.POSITIVE_INFINITY }) => ({
    outputs: () => [{ name: as, kind: 'number' }],
    transform(sessions) {
      assertTimes(sessions, 'elapsed');
      const { offsets, timestampsMs } = sessions;
      const values = new Float32Array(timestampsMs.length);
      for (let s = 0; s < offsets.length - 1; s++) {
        for (let i = offsets[s] + 1; i < offsets[s + 1]; i++) {
          const seconds = Math.min(maxSeconds, (timestampsMs[i] - timestampsMs[i - 1]) / 1000);
          values[i] = log ? Math.log1p(seconds) : seconds;
        }
      }
      return { [as]: values };
    },
    toJSON: () => null,
    restore() {},
  }),
});
