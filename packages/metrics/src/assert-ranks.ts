/** @throws when a rank is not a whole number ≥ 1, or k is not a whole number ≥ 1. */
export function assertRanks(metric: string, ranks: ArrayLike<number>, k: number): void {
  if (!Number.isInteger(k) || k < 1) throw new Error(`${metric}: k must be a whole number ≥ 1, got ${k}`);
  for (let n = 0; n < ranks.length; n++) {
    if (!Number.isInteger(ranks[n]) || ranks[n] < 1) {
      throw new Error(`${metric}: ranks[${n}] is ${ranks[n]}; ranks are whole numbers from 1 (best)`);
    }
  }
}
