import { FIRST_ITEM_ID } from '@nimue/batch';
import type { EncodedSessions } from '@nimue/data';
import type { ExcludedItems } from '@nimue/ops';

/** The items that sessions `first` … `end − 1` have seen, each once: what may not be recommended to them again. */
export function seenItems(visible: EncodedSessions, first: number, end: number): ExcludedItems {
  const offsets = new Int32Array(end - first + 1);
  const itemIds: number[] = [];
  for (let s = first; s < end; s++) {
    for (const id of new Set(visible.itemIds.subarray(visible.offsets[s], visible.offsets[s + 1]))) {
      if (id >= FIRST_ITEM_ID) itemIds.push(id);
    }
    offsets[s - first + 1] = itemIds.length;
  }
  return { offsets, itemIds: Int32Array.from(itemIds) };
}

/** 1 for every target that its own session has seen [N]. */
export function seenTargets(seen: ExcludedItems, targetIds: Int32Array): Uint8Array {
  return Uint8Array.from(targetIds, (target, n) =>
    seen.itemIds.subarray(seen.offsets[n], seen.offsets[n + 1]).includes(target) ? 1 : 0,
  );
}
