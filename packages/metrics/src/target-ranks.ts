import { assertRanks } from './assert-ranks.ts';

/** For each of N lists the 1-based places of its targets, in any order; at least one target a list, no place twice. */
export type TargetRanks = readonly ArrayLike<number>[];

/** @throws when a list has no target, a rank is not a whole number ≥ 1, or two targets share a place. */
export function assertTargetRanks(metric: string, targetRanks: TargetRanks, k: number): void {
  assertRanks(metric, [], k);
  targetRanks.forEach((ranks, n) => {
    if (ranks.length === 0) {
      throw new Error(`${metric}: list ${n} has no target; leave lists without targets out and say how many`);
    }
    assertRanks(`${metric}: list ${n}`, ranks, k);
    const placed = Array.from(ranks).filter((rank) => rank <= k);
    if (new Set(placed).size < placed.length) {
      throw new Error(
        `${metric}: list ${n} has two targets at one place: ${placed.join(', ')}; is an item in it twice?`,
      );
    }
  });
}
