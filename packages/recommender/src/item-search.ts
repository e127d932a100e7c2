/** Item vectors to search, row = dense item id; rows of reserved ids are never found. */
export interface ItemVectors {
  /** [V, D] */
  readonly table: Float32Array;
  readonly width: number;
  /** Added to every item's score [V]. */
  readonly bias?: Float32Array;
}

/**
 * A way to find the items with the highest scores h · x + bias without computing all of them, such as `hnswSearch`. What it
 * finds is scored exactly afterwards.
 */
export interface ItemSearch {
  /** Takes the items in, in place of those before. */
  build(vectors: ItemVectors): void;
  /** Dense ids of about the `count` items with the highest scores, in any order. @param hidden state [D] */
  find(hidden: Float32Array, count: number): Int32Array;
}
