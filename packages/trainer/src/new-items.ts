import { FIRST_ITEM_ID } from '@nimue/batch';
import type { EncodedSessions } from '@nimue/data';
import type { NewItems } from '@nimue/models';

export const NEW_ITEMS = ['random', 'mean', 'neighbors', 'features'] as const;

/**
 * How the items that a window brings start, from `training.newItems`. `neighbors`: like the known items that were clicked
 * right before or after them in the train sessions. `features`: as the mean of all, told apart by their own features.
 *
 * @param numKnown rows of the model's item table before it grows
 */
export async function newItemsFrom(
  how: (typeof NEW_ITEMS)[number],
  numKnown: number,
  windows: () => AsyncIterable<EncodedSessions>,
): Promise<NewItems> {
  if (how !== 'neighbors') return { kind: how };
  const neighbors = new Map<number, number[]>();
  for await (const { itemIds, offsets } of windows()) {
    for (let s = 1; s < offsets.length; s++) {
      for (let i = offsets[s - 1] + 1; i < offsets[s]; i++) {
        for (const [id, other] of [
          [itemIds[i], itemIds[i - 1]],
          [itemIds[i - 1], itemIds[i]],
        ]) {
          if (id < numKnown || other < FIRST_ITEM_ID || other >= numKnown) continue;
          neighbors.set(id, [...(neighbors.get(id) ?? []), other]);
        }
      }
    }
  }
  return { kind: 'similar', similarTo: (id) => neighbors.get(id) ?? [] };
}
