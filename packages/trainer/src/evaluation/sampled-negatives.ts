import { FIRST_ITEM_ID } from '@nimue/batch';
import type { ExcludedItems } from '@nimue/ops';
import { deriveSeed } from '@nimue/ops';

export interface SampledNegatives {
  /** Items per target. */
  readonly count: number;
  readonly seed: number;
}

/**
 * For every target `count` different items, drawn uniformly from those that its session has not seen, the target apart:
 * the protocol of many papers until 2020. Metrics of such short lists do not order models as the whole catalogue does
 * (Krichene & Rendle 2020, "On sampled metrics for item recommendation").
 *
 * @param firstTarget number of the first target, so that draws do not depend on the batches
 * @returns [N · count]
 * @throws when the catalogue is too small
 */
export function sampleNegatives(
  seen: ExcludedItems,
  targetIds: Int32Array,
  numRows: number,
  firstTarget: number,
  { count, seed }: SampledNegatives,
): Int32Array {
  const drawn = new Int32Array(targetIds.length * count);
  targetIds.forEach((target, n) => {
    const taken = new Set(seen.itemIds.subarray(seen.offsets[n], seen.offsets[n + 1])).add(target);
    const numFree = numRows - FIRST_ITEM_ID - [...taken].filter((id) => id >= FIRST_ITEM_ID).length;
    if (numFree < count) {
      throw new Error(
        `sampledNegatives is ${count}, but only ${numFree} items are neither seen nor the target; choose at most as many`,
      );
    }
    let draw = 0;
    for (let i = 0; i < count; ) {
      const share = deriveSeed(seed, firstTarget + n, draw++) / 2 ** 32;
      const id = FIRST_ITEM_ID + Math.floor(share * (numRows - FIRST_ITEM_ID));
      if (taken.has(id)) continue;
      taken.add(id);
      drawn[n * count + i++] = id;
    }
  });
  return drawn;
}
