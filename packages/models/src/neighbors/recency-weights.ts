import { z } from 'zod';

export const recencyWeightSchema = z
  .number()
  .min(0)
  .default(0)
  .describe(
    'The vote of the most recent neighbor counts 1 + recencyWeight, that of the oldest 1, the others by their places between. A thousandth tells items apart that have the same votes, which otherwise tie and stand in the order of their ids.',
  );

/**
 * What a neighbor's vote is multiplied by: 1 + weight · (s − oldest) / (newest − oldest), with s the number of the session.
 *
 * Not in session-rec, where equal scores fall as a partial sort leaves them. Sessions of two clicks have many: a rank that
 * counts ties against the model then says more of ties than of neighbors.
 *
 * @param sessions numbers of the neighbors in any order, a higher number the more recent session [K]
 * @returns [K], all 1 where there is one neighbor or the weight is 0
 */
export function recencyWeights(sessions: Int32Array, weight: number): Float64Array {
  const weights = new Float64Array(sessions.length).fill(1);
  if (weight === 0 || sessions.length === 0) return weights;
  let oldest = Number.POSITIVE_INFINITY;
  let newest = Number.NEGATIVE_INFINITY;
  for (const session of sessions) {
    oldest = Math.min(oldest, session);
    newest = Math.max(newest, session);
  }
  if (newest === oldest) return weights;
  return weights.map((one, n) => one + (weight * (sessions[n] - oldest)) / (newest - oldest));
}
