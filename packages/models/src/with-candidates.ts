import { FIRST_ITEM_ID, UNKNOWN_ID } from '@nimue/batch';
import { type ExcludedItems, gatherRows, NonFiniteScoreError, type TopItems } from '@nimue/ops';
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { NeuralModel, RankingOptions } from './next-item-model.ts';

/** An output layer of some of the items, in which an item's row is its place in the list of candidates. */
interface CandidateTable {
  readonly table: Tensor2D;
  readonly bias?: Tensor1D;
  readonly excluded?: ExcludedItems;
  /** Item ids → rows of `table`; `UNKNOWN_ID` for what is no candidate. */
  idsOf(itemIds: Int32Array): Int32Array;
  /** Rows of `table` → item ids. */
  itemsOf<Top extends TopItems>(top: Top): Top;
}

/**
 * Calls `use` with the output layer cut to the candidates, or with the whole one when all items are candidates. The rows
 * are copied: scores are the same, bit for bit.
 */
export function withCandidates<T>(
  model: Pick<NeuralModel, 'itemTable' | 'itemBias'>,
  { candidates, excluded }: RankingOptions,
  use: (cut: CandidateTable) => T,
): T {
  const table = model.itemTable();
  const bias = model.itemBias();
  if (!candidates) return use({ table, bias, excluded, idsOf: (ids) => ids, itemsOf: (top) => top });
  assertCandidates(candidates, table.shape[0]);
  const rows = Int32Array.from({ length: FIRST_ITEM_ID + candidates.length }, (_, row) =>
    row < FIRST_ITEM_ID ? row : candidates[row - FIRST_ITEM_ID],
  );
  const rowOfItem = new Int32Array(table.shape[0]).fill(UNKNOWN_ID);
  for (let row = FIRST_ITEM_ID; row < rows.length; row++) rowOfItem[rows[row]] = row;
  const idsOf = (itemIds: Int32Array) => itemIds.map((id) => rowOfItem[id]);
  const cut = gatherRows(table, rows);
  const cutBias = bias && (tf.tidy(() => tf.gather(bias, tf.tensor1d(rows, 'int32'))) as Tensor1D);
  try {
    return use({
      table: cut,
      bias: cutBias,
      excluded: excluded && { offsets: excluded.offsets, itemIds: idsOf(excluded.itemIds) },
      idsOf,
      // Empty places hold id 0, which is row 0.
      itemsOf: (top) => ({ ...top, itemIds: top.itemIds.map((row) => rows[row]) }),
    });
  } catch (error) {
    if (!(error instanceof NonFiniteScoreError) || error.itemId === undefined) throw error;
    // The item by its own id, not by its place among the candidates.
    throw new NonFiniteScoreError('candidates', error.row, rows[error.itemId], error.score);
  } finally {
    cut.dispose();
    cutBias?.dispose();
  }
}

/** @throws when the candidates are not item ids, each once and rising */
export function assertCandidates(candidates: Int32Array, numRows: number): void {
  let before = FIRST_ITEM_ID - 1;
  candidates.forEach((id, i) => {
    if (id <= before || id >= numRows) {
      throw new Error(
        `candidates[${i}] is ${id}; expected item ids from ${FIRST_ITEM_ID} to ${numRows - 1}, each once and rising`,
      );
    }
    before = id;
  });
}
