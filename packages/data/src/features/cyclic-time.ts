import { z } from 'zod';
import { createCalendar, DAY_MS } from '../windows/calendar.ts';
import { assertTimes, defineFeature, outputName } from './feature.ts';

const PERIODS = ['hour', 'weekday', 'month'] as const;

/** Local clocks differ from UTC by whole quarters of an hour, and change between two of them. */
const QUARTER_MS = 900_000;

/**
 * Sine and cosine of where an event lies in a cycle: 2π · share, with the share of the day that has passed (`hour`), the
 * day of the week ÷ 7 from Monday (`weekday`), or the month ÷ 12 from January (`month`).
 */
export const cyclicTime = defineFeature({
  configSchema: z.strictObject({
    name: z.literal('cyclicTime'),
    of: z.enum(PERIODS).describe('What goes round: the hour of the day, the day of the week, the month of the year.'),
    /** `<as>_sin` and `<as>_cos`. */
    as: outputName.optional(),
    timeZone: z.string().default('UTC').describe('Whose clock.'),
  }),
  columns: () => [],
  create({ of, as = of, timeZone }) {
    const calendar = createCalendar(timeZone);
    return {
      outputs: () => [
        { name: `${as}_sin`, kind: 'number' },
        { name: `${as}_cos`, kind: 'number' },
      ],
      transform(sessions) {
        assertTimes(sessions, 'cyclicTime');
        const { timestampsMs } = sessions;
        const sines = new Float32Array(timestampsMs.length);
        const cosines = new Float32Array(timestampsMs.length);
        let quarter = Number.NaN;
        let offsetMs = 0;
        for (let i = 0; i < timestampsMs.length; i++) {
          const now = Math.floor(timestampsMs[i] / QUARTER_MS);
          if (now !== quarter) {
            quarter = now;
            offsetMs = calendar.offsetMs(timestampsMs[i]);
          }
          const angle = 2 * Math.PI * SHARES[of](timestampsMs[i] + offsetMs);
          sines[i] = Math.sin(angle);
          cosines[i] = Math.cos(angle);
        }
        return { [`${as}_sin`]: sines, [`${as}_cos`]: cosines };
      },
      toJSON: () => null,
      restore() {},
    };
  },
});

/** Share of the cycle at a local time in ms. */
const SHARES: Readonly<Record<(typeof PERIODS)[number], (localMs: number) => number>> = {
  hour: (localMs) => localMs / DAY_MS - Math.floor(localMs / DAY_MS),
  // 1970-01-01 was a Thursday.
  weekday: (localMs) => ((((Math.floor(localMs / DAY_MS) + 3) % 7) + 7) % 7) / 7,
  month: (localMs) => new Date(localMs).getUTCMonth() / 12,
};
