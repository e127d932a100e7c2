import { FIRST_ITEM_ID } from '@nimue/batch';
import type { SessionsToCount } from '../next-item-model.ts';
import { GrowingInt32 } from './growing-int32.ts';

/**
 * Past sessions, numbered in the order they were added (so a higher number is a more recent session), with the sessions
 * of every item. Adding a window touches only what is in it. Reserved ids are left out.
 */
export class SessionIndex {
  readonly #offsets = new GrowingInt32(1024);
  readonly #itemIds = new GrowingInt32(4096);
  readonly #endMs: number[] = [];
  readonly #postings: (GrowingInt32 | undefined)[] = [];
  readonly #eventCounts: number[] = [];
  /** Of every event as it lies in `#itemIds`, and their sums by item; from the first window that has some, 1 before. */
  #weights: number[] | undefined;
  #weightSums: number[] = [];
  readonly #nothing = new Int32Array(0);

  constructor() {
    this.#offsets.push(0);
  }

  get numSessions(): number {
    return this.#offsets.length - 1;
  }

  add({ itemIds, offsets, timestampsMs, eventWeights }: SessionsToCount): void {
    if (eventWeights && !this.#weights) {
      this.#weights = new Array<number>(this.#itemIds.length).fill(1);
      this.#weightSums = this.#eventCounts.slice();
    }
    for (let s = 0; s < offsets.length - 1; s++) {
      const number = this.numSessions;
      for (let event = offsets[s]; event < offsets[s + 1]; event++) {
        const item = itemIds[event];
        if (item < FIRST_ITEM_ID) continue;
        const weight = eventWeights?.[event] ?? 1;
        this.#itemIds.push(item);
        this.#eventCounts[item] = (this.#eventCounts[item] ?? 0) + 1;
        if (this.#weights) {
          this.#weights.push(weight);
          this.#weightSums[item] = (this.#weightSums[item] ?? 0) + weight;
        }
        let sessions = this.#postings[item];
        if (!sessions) {
          sessions = new GrowingInt32();
          this.#postings[item] = sessions;
        }
        if (sessions.length === 0 || sessions.at(sessions.length - 1) !== number) sessions.push(number);
      }
      this.#offsets.push(this.#itemIds.length);
      this.#endMs.push(timestampsMs && offsets[s + 1] > offsets[s] ? timestampsMs[offsets[s + 1] - 1] : Number.NaN);
    }
  }

  /** Items of a session, oldest first, repeats included. */
  itemsOf(session: number): Int32Array {
    return this.#itemIds.view.subarray(this.#offsets.at(session), this.#offsets.at(session + 1));
  }

  /** Numbers of the sessions that hold an item, rising, each once. */
  sessionsOf(item: number): Int32Array {
    return this.#postings[item]?.view ?? this.#nothing;
  }

  /** When a session's last click was; NaN when the sessions came without times. */
  endMsOf(session: number): number {
    return this.#endMs[session];
  }

  /** Clicks on an item so far. */
  eventCountOf(item: number): number {
    return this.#eventCounts[item] ?? 0;
  }

  /** Weights of the clicks of a session, as `itemsOf` gives them; undefined where no click has one. */
  weightsOf(session: number): number[] | undefined {
    return this.#weights?.slice(this.#offsets.at(session), this.#offsets.at(session + 1));
  }

  /** Clicks on an item so far, each by its weight. */
  weightSumOf(item: number): number {
    return this.#weights ? (this.#weightSums[item] ?? 0) : this.eventCountOf(item);
  }

  /** ln(sessions / clicks on the item), as session-rec computes it: repeats within a session count. */
  inverseFrequencyOf(item: number): number {
    return Math.log(this.numSessions / this.eventCountOf(item));
  }
}
