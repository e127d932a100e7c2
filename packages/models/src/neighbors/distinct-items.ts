import { GrowingInt32 } from './growing-int32.ts';

/** Takes the repeats out of short lists of items without making a set each time. */
export class DistinctItems {
  /** The call in which an item was last met. */
  readonly #metIn: number[] = [];
  #call = 0;
  readonly #items = new GrowingInt32(64);

  /** Begins anew, with no items. */
  clear(): void {
    this.#call++;
    this.#items.clear();
  }

  add(item: number): void {
    if (this.#metIn[item] === this.#call) return;
    this.#metIn[item] = this.#call;
    this.#items.push(item);
  }

  /** The different items in order of their first mention; valid until the next change. */
  get view(): Int32Array {
    return this.#items.view;
  }

  /** The different items in order of their first click; valid until the next change. */
  of(items: Int32Array): Int32Array {
    this.clear();
    for (let i = 0; i < items.length; i++) this.add(items[i]);
    return this.view;
  }
}
