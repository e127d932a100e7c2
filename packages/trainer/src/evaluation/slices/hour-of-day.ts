import { createCalendar } from '@nimue/data';
import type { Slice } from '../slice.ts';

const parts = Array.from({ length: 24 }, (_, hour) => `${String(hour).padStart(2, '0')}:00`);

/** The hour of the target's click on the local clock of `windows.timeZone`. */
export const hourOfDay: Slice = {
  needsTimes: true,
  parts,
  prepare({ timeZone }) {
    const { offsetMs } = createCalendar(timeZone);
    // The local clock changes at most every quarter of an hour, and asking it is slow.
    const known = new Map<number, string>();
    return ({ timeMs }) => {
      const quarter = Math.floor(timeMs / 900_000);
      const part = known.get(quarter) ?? parts[new Date(timeMs + offsetMs(timeMs)).getUTCHours()];
      known.set(quarter, part);
      return part;
    };
  },
};
