import { GrowingInt32 } from './growing-int32.ts';

/** Takes the repeats out of short lists of items without making a set each time. */
export class DistinctItems {
  /** The call in which an item was last met. */
  readonly #metIn: number[] = [];
  #call = 0;
  readonly #items = new GrowingInt32(64);

  /** The different items in order of their first click; valid until the next call. */
  of(items: Int32Array): Int32Array {
    this.#call++;
    this.#items.clear();
    for (const item of items) {
      if (this.#metIn[item] === this.#call) continue;
      this.#metIn[item] = this.#call;
      this.#items.push(item);
    }
    return this.#items.view;
  }
}
