import { FIRST_ITEM_ID } from '@nimue/batch';

/**
 * How the rows of new items start. `random`: as they would have at the beginning. `mean`: the mean of all known items.
 * `similar`: the mean of the known items named for it, or of all where none is. `features`: as `mean`, beside which the
 * model's own view of the item's features tells it from the others.
 */
export type NewItems =
  | { readonly kind: 'random' }
  | { readonly kind: 'mean' }
  | { readonly kind: 'features' }
  | { readonly kind: 'similar'; similarTo(newId: number): readonly number[] };

/**
 * Fills the rows of new items of a table [numRows, width] in place from the known ones before them.
 *
 * @throws when an item that a new one is said to be like is not among the known ones
 *
 * @example
 * // ids 0 … 2 are reserved; 3 and 4 are known, 5 and 6 new
 * const table = Float32Array.of(0, 0, 0, 1, 2, 0, 0);
 * fillNewItems(table, 1, 5, { kind: 'similar', similarTo: (id) => (id === 5 ? [4] : []) });
 * table; // → Float32Array [0, 0, 0, 1, 2, 2, 1.5]
 */
export function fillNewItems(table: Float32Array, width: number, numKnown: number, newItems: NewItems): void {
  const numRows = table.length / Math.max(1, width);
  if (newItems.kind === 'random' || numKnown <= FIRST_ITEM_ID) return;
  let meanOfAll: Float32Array | undefined;
  for (let id = Math.max(numKnown, FIRST_ITEM_ID); id < numRows; id++) {
    const like = newItems.kind === 'similar' ? newItems.similarTo(id) : [];
    for (const other of like) {
      if (Number.isInteger(other) && other >= FIRST_ITEM_ID && other < numKnown) continue;
      throw new Error(
        `resizeItems: item ${id} cannot start like item ${other}; expected a known item, ${FIRST_ITEM_ID} … ${numKnown - 1}`,
      );
    }
    if (like.length === 0) meanOfAll ??= meanRow(table, width, everyKnown(numKnown));
    table.set(like.length > 0 ? meanRow(table, width, like) : (meanOfAll as Float32Array), id * width);
  }
}

function everyKnown(numKnown: number): number[] {
  return Array.from({ length: numKnown - FIRST_ITEM_ID }, (_, i) => FIRST_ITEM_ID + i);
}

function meanRow(table: Float32Array, width: number, ids: readonly number[]): Float32Array {
  const sums = new Float64Array(width);
  for (const id of ids) for (let c = 0; c < width; c++) sums[c] += table[id * width + c];
  return Float32Array.from(sums, (sum) => sum / ids.length);
}
