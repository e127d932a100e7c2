import type { Steps } from './steps.ts';

/** Item vectors to search, row = dense item id; rows of reserved ids are never found. To be read only, and only during the call. */
export interface ItemVectors {
  /** [V, D] */
  readonly table: Float32Array;
  readonly width: number;
  /** Added to every item's score [V]. */
  readonly bias?: Float32Array;
}

/**
 * A way to find the items with the highest scores h · x + bias without computing all of them, such as `clusterSearch`. What it
 * finds is scored exactly afterwards.
 */
export interface ItemSearch {
  /** Takes the items in, in place of those before. */
  build(vectors: ItemVectors): Steps;
  /** Takes in the items from row `firstRow` on, which were added since. */
  add(vectors: ItemVectors, firstRow: number): void;
  /**
   * Dense ids, each once and in any order, among which about all of the `count` items with the highest scores are.
   *
   * @param hidden state [D]
   */
  find(hidden: Float32Array, count: number): Int32Array;
  dispose?(): void;
}
