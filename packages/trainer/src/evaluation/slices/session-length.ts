import type { Slice } from '../slice.ts';

const LIMITS = [2, 3, 5, 10, 20, 50];

/** Items visible before the target. */
export const sessionLength: Slice = {
  parts: ['1', '2', '3 – 4', '5 – 9', '10 – 19', '20 – 49', '50 or more'],
  prepare:
    () =>
    ({ numVisible }) => {
      const limit = LIMITS.findIndex((length) => numVisible < length);
      return limit < 0 ? LIMITS.length : limit;
    },
};
