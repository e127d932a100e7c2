import type { Slice } from '../slice.ts';

/** The hour of the target's click, UTC. */
export const hourOfDay: Slice = {
  needsTimes: true,
  parts: Array.from({ length: 24 }, (_, hour) => `${String(hour).padStart(2, '0')}:00`),
  prepare:
    () =>
    ({ timeMs }) =>
      Math.floor(timeMs / 3_600_000) % 24,
};
