import type { Slice } from '../slice.ts';

const LIMITS = [2, 3, 5, 10, 20, 50];
const parts = ['1', '2', '3 – 4', '5 – 9', '10 – 19', '20 – 49', '50 or more'];

/** Items visible before the target. */
export const sessionLength: Slice = {
  parts,
  prepare:
    () =>
    ({ numVisible }) => {
      const limit = LIMITS.findIndex((length) => numVisible < length);
      return parts.at(limit) ?? '';
    },
};
