import { z } from 'zod';
import type { DistinctItems } from './distinct-items.ts';
import type { SessionIndex } from './session-index.ts';

export const fillSessionsSchema = z
  .int()
  .min(0)
  .default(0)
  .describe(
    'Behind the items that neighbors vote for come those of so many of the most recent sessions, by their clicks there, newer sessions counting more. 0: every item without a vote is as good as any other, as in the originals.',
  );

/** Of a score without a vote: keeps those of a million sessions below 1e-30, where no vote of a decay in use is. */
const FILL_SCALE = 1e-36;

/**
 * What stands behind the items that neighbors vote for: those clicked in the most recent sessions. Where an item is rare, its
 * sessions hold fewer items than a list is long; all others then tie at 0, a rank that counts ties against the model puts the
 * target last, and a list would go on by rising id.
 *
 * Not in session-rec, where such items fall as a sort leaves them. With N sessions, the j-th oldest of them counted from 1:
 * score(i) = 10⁻³⁶ · Σ_j (j / N) · clicks on i in j, as good as nothing beside a vote.
 */
export class FillBehind {
  readonly #index: SessionIndex;
  readonly #numSessions: number;
  /** Sessions that the index held when `#weights` were counted. */
  #countedAt = -1;
  #weights = new Map<number, number>();

  /** @param numSessions how many of the most recent sessions are counted; 0: nothing is filled in */
  constructor(index: SessionIndex, numSessions: number) {
    this.#index = index;
    this.#numSessions = numSessions;
  }

  /**
   * Gives items without a vote their score.
   *
   * @param scores votes by item, 0 for the others [V]
   * @param voted the items that may have a vote; those filled in are added
   * @param withheld these get none
   */
  fill(scores: Float64Array, voted: DistinctItems, withheld: Iterable<number> = []): void {
    if (this.#numSessions === 0) return;
    if (this.#countedAt !== this.#index.numSessions) this.#count();
    const leftOut = new Set(withheld);
    for (const [item, weight] of this.#weights) {
      // A vote that is not a number stays, so that it is refused as it would be without filling.
      if (leftOut.has(item) || scores[item] !== 0) continue;
      scores[item] = weight * FILL_SCALE;
      voted.add(item);
    }
  }

  #count(): void {
    const { numSessions } = this.#index;
    const first = Math.max(0, numSessions - this.#numSessions);
    this.#weights = new Map();
    for (let session = first; session < numSessions; session++) {
      const weight = (session - first + 1) / (numSessions - first);
      for (const item of this.#index.itemsOf(session)) {
        this.#weights.set(item, (this.#weights.get(item) ?? 0) + weight);
      }
    }
    this.#countedAt = numSessions;
  }
}
