import type { Slice } from './slice.ts';

/** Values of a column that are kept one by one in a window's result; the others are `other`. */
export const MAX_COLUMN_PARTS = 200;
export const OTHER_PART = 'other';
const MISSING = '(missing)';

/** Parts of `seenSlice`. */
export const SEEN_PARTS = ['new', 'seen', MISSING];

/** By the value of a text column in the target's event, such as the device: the most frequent values one by one. */
export function columnSlice(column: string): Slice {
  return {
    prepare({ texts }) {
      const values = texts[column] ?? [];
      return (facts) => values[facts.codeOf(column)] ?? MISSING;
    },
  };
}

/** Whether training has met the value of a text column in the target's event: with the user's column, cold users apart. */
export function seenSlice(column: string): Slice {
  return {
    parts: SEEN_PARTS,
    prepare:
      ({ seenValues }) =>
      (facts) => {
        const code = facts.codeOf(column);
        if (Number.isNaN(code)) return MISSING;
        return seenValues.has(column, code) ? 'seen' : 'new';
      },
  };
}
