import { assertRanks } from './assert-ranks.ts';

/**
 * Rank-biased precision within the first k (Moffat & Zobel 2008, eq. 1): (1 − p) p^(rank − 1), where p is the chance that
 * a reader goes on to the next place. The best value of a single target is 1 − p, not 1.
 *
 * @param ranks [N] 1-based places of the targets
 * @param persistence p in (0, 1); 0.8 reads five places on average
 * @returns [N]
 *
 * @example
 * rankBiasedPrecisionAtK([1, 2, 5], 4); // → [0.2, 0.16, 0]
 */
export function rankBiasedPrecisionAtK(ranks: ArrayLike<number>, k: number, persistence = 0.8): Float64Array {
  assertRanks('rankBiasedPrecisionAtK', ranks, k);
  if (!(persistence > 0 && persistence < 1)) {
    throw new Error(`rankBiasedPrecisionAtK: persistence must lie between 0 and 1, got ${persistence}`);
  }
  return Float64Array.from(ranks, (rank) => (rank <= k ? (1 - persistence) * persistence ** (rank - 1) : 0));
}
