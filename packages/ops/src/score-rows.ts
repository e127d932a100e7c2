import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { ExcludedItems } from './fused-kernels.ts';
import { product } from './products.ts';
import { readNumbers } from './read-numbers.ts';

/** At most this many scores are held at a time (64 MiB of float32). */
const MAX_SCORES = 16 * 1024 * 1024;

export interface ScoreRowsArgs {
  readonly hidden: Tensor2D;
  readonly table: Tensor2D;
  readonly bias?: Tensor1D;
  readonly firstRow: number;
  readonly excluded?: ExcludedItems;
}

/**
 * Calls `visit(row, scores)` for every row of `hidden` with its scores over the whole table [V]; the scores of excluded
 * and of reserved items are −Infinity. Blockwise: memory does not grow with the number of rows.
 *
 * @throws when a score of an item is not finite, naming row and item
 */
export function scoreRows(op: string, args: ScoreRowsArgs, visit: (row: number, scores: Float32Array) => void): void {
  const { hidden, table, bias, firstRow, excluded } = args;
  const [numRows, width] = hidden.shape;
  const numItems = table.shape[0];
  const block = Math.max(1, Math.floor(MAX_SCORES / Math.max(1, numItems)));
  const transposed = tf.tidy(() => tf.transpose(table));
  try {
    for (let start = 0; start < numRows; start += block) {
      const size = Math.min(block, numRows - start);
      const scores = readNumbers(() => {
        const products = product(tf.slice(hidden, [start, 0], [size, width]), transposed);
        return bias ? tf.add(products, bias) : products;
      });
      for (let i = 0; i < size; i++) {
        const row = scores.subarray(i * numItems, (i + 1) * numItems);
        for (let v = firstRow; v < numItems; v++) {
          if (!Number.isFinite(row[v])) throw new NonFiniteScoreError(op, start + i, v, row[v]);
        }
        row.fill(Number.NEGATIVE_INFINITY, 0, firstRow);
        if (excluded) {
          for (let e = excluded.offsets[start + i]; e < excluded.offsets[start + i + 1]; e++) {
            row[excluded.itemIds[e]] = Number.NEGATIVE_INFINITY;
          }
        }
        visit(start + i, row);
      }
    }
  } finally {
    transposed.dispose();
  }
}

/** A score that is NaN or infinite: it has no place in a ranking. */
export class NonFiniteScoreError extends Error {
  override readonly name = 'NonFiniteScoreError';
  readonly row: number;
  /** Row of the item table; undefined where it is not known. */
  readonly itemId: number | undefined;
  readonly score: number | undefined;

  constructor(op: string, row: number, itemId: number | undefined, score?: number) {
    const where = itemId === undefined ? `row ${row}` : `row ${row}, item id ${itemId}`;
    const got = score === undefined ? 'NaN or infinite' : String(score);
    super(
      `${op}: the score of ${where} is ${got}; the model has diverged (lower the learning rate) or its input holds NaN`,
    );
    this.row = row;
    this.itemId = itemId;
    this.score = score;
  }
}

/** The error of a row in which a kernel has met such a score: looks for the first item that has it. */
export function nonFiniteScore(op: string, row: number, { hidden, table, bias, firstRow }: ScoreRowsArgs): Error {
  const [numItems, width] = table.shape;
  const state = tf.tidy(() => tf.slice(hidden, [row, 0], [1, width]).dataSync());
  const items = table.dataSync();
  const biases = bias?.dataSync();
  for (let v = firstRow; v < numItems; v++) {
    let score = biases?.[v] ?? 0;
    for (let d = 0; d < width; d++) score = Math.fround(score + state[d] * items[v * width + d]);
    if (!Number.isFinite(score)) return new NonFiniteScoreError(op, row, v, score);
  }
  return new NonFiniteScoreError(op, row, undefined);
}
