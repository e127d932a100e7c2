import { MASK_ID, type SessionBatch } from '@nimue/batch';
import { deriveSeed, mix32 } from '@nimue/ops';

type Features = NonNullable<SessionBatch['features']>;

/**
 * Stochastic swap noise (Transformers4Rec, section 3.3): every value of every feature is replaced, with probability `rate`,
 * by the value of another event of the batch.
 *
 * Differs from the original: the value comes from another session, so that no event is shown a feature of a later event of
 * its own; hidden events neither give nor take; item ids are not swapped.
 *
 * @returns new columns; the same (seed, batch) gives the same
 */
export function swapFeatures(
  { itemIds, offsets, features = {} }: Pick<SessionBatch, 'itemIds' | 'offsets' | 'features'>,
  rate: number,
  seed: number,
): Features {
  if (rate === 0 || offsets.length < 3) return features;
  const numEvents = itemIds.length;
  return Object.fromEntries(
    Object.entries(features).map(([name, column], f) => {
      const swapped = column.slice();
      const columnSeed = deriveSeed(seed, f);
      for (let b = 0; b + 1 < offsets.length; b++) {
        const [from, to] = [offsets[b], offsets[b + 1]];
        const numOthers = numEvents - (to - from);
        for (let i = from; i < to && numOthers > 0; i++) {
          if (itemIds[i] === MASK_ID || mix32(columnSeed ^ mix32(2 * i)) / 4294967296 >= rate) continue;
          const other = mix32(columnSeed ^ mix32(2 * i + 1)) % numOthers;
          const source = other < from ? other : other + (to - from);
          if (itemIds[source] !== MASK_ID) swapped[i] = column[source];
        }
      }
      return [name, swapped];
    }),
  );
}
