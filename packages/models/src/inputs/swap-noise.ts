import { FIRST_ITEM_ID, MASK_ID, type SessionBatch } from '@nimue/batch';
import { deriveSeed, mix32 } from '@nimue/ops';

type Features = NonNullable<SessionBatch['features']>;

/**
 * Stochastic swap noise (Transformers4Rec, section 3.3): every value of every feature is replaced, with probability `rate`,
 * by the value of another event of the batch.
 *
 * Differs from the original: the value comes from another session, so that no event is shown a feature of a later event of
 * its own; hidden events neither give nor take. Item ids have a rate of their own: `swapItems`.
 *
 * @returns new columns; the same (seed, batch) gives the same
 */
export function swapFeatures(
  { itemIds, offsets, features = {} }: Pick<SessionBatch, 'itemIds' | 'offsets' | 'features'>,
  rate: number,
  seed: number,
): Features {
  if (rate === 0 || offsets.length < 3) return features;
  const isSeen = (i: number) => itemIds[i] !== MASK_ID;
  return Object.fromEntries(
    Object.entries(features).map(([name, column], f) => [
      name,
      swapValues(column, { offsets, isSeen, rate, seed: deriveSeed(seed, f) }),
    ]),
  );
}

/**
 * The same for the item ids that a model reads: what the Transformers4Rec paper tunes as the probability of stochastic shared
 * embeddings. Reserved ids neither give nor take; what is to be predicted stays as it is.
 *
 * @returns new ids [T]; the same (seed, batch) gives the same
 */
export function swapItems(
  { itemIds, offsets }: Pick<SessionBatch, 'itemIds' | 'offsets'>,
  rate: number,
  seed: number,
): Int32Array {
  if (rate === 0) return itemIds;
  return swapValues(itemIds, { offsets, isSeen: (i) => itemIds[i] >= FIRST_ITEM_ID, rate, seed });
}

function swapValues<Column extends Int32Array | Float32Array>(
  column: Column,
  how: { offsets: Int32Array; isSeen: (event: number) => boolean; rate: number; seed: number },
): Column {
  const { offsets, isSeen, rate, seed } = how;
  if (offsets.length < 3) return column;
  const swapped = column.slice() as Column;
  for (let b = 0; b + 1 < offsets.length; b++) {
    const [from, to] = [offsets[b], offsets[b + 1]];
    const numOthers = column.length - (to - from);
    for (let i = from; i < to && numOthers > 0; i++) {
      if (!isSeen(i) || mix32(seed ^ mix32(2 * i)) / 4294967296 >= rate) continue;
      const other = mix32(seed ^ mix32(2 * i + 1)) % numOthers;
      const source = other < from ? other : other + (to - from);
      if (isSeen(source)) swapped[i] = column[source];
    }
  }
  return swapped;
}
