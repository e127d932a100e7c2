import type { SessionBatch } from '@nimue/batch';

/** The rows of columns that stand at some positions, which may come more than once [N each]. */
export function takeRows(
  features: NonNullable<SessionBatch['features']>,
  positions: Int32Array,
): NonNullable<SessionBatch['features']> {
  return Object.fromEntries(
    Object.entries(features).map(([name, column]) => {
      const { length } = positions;
      const taken = column instanceof Int32Array ? new Int32Array(length) : new Float32Array(length);
      for (let n = 0; n < length; n++) taken[n] = column[positions[n]];
      return [name, taken];
    }),
  );
}
