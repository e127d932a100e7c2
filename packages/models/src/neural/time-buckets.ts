import type { SessionBatch } from '@nimue/batch';
import { MissingTimesError } from '../missing-times-error.ts';

/** Width of a bucket in the logarithm of seconds: about a factor of 1.35, the original's. */
const BUCKET_WIDTH = 0.301;

/**
 * Bucket of the time between every two events of a session, ⌊ln(max(1, seconds)) / 0.301⌋ and at most `numBuckets`: session
 * after session its length × length block, row-major.
 *
 * @throws when the batch has no times
 */
export function timeBuckets(
  modelName: string,
  { offsets, timestampsMs }: Pick<SessionBatch, 'offsets' | 'timestampsMs'>,
  numBuckets: number,
): Uint8Array {
  const bucketOf = bucketsBetween(modelName, timestampsMs, numBuckets);
  let size = 0;
  for (let b = 1; b < offsets.length; b++) size += (offsets[b] - offsets[b - 1]) ** 2;
  const buckets = new Uint8Array(size);
  let at = 0;
  for (let b = 1; b < offsets.length; b++) {
    for (let i = offsets[b - 1]; i < offsets[b]; i++) {
      for (let j = offsets[b - 1]; j < offsets[b]; j++) buckets[at++] = bucketOf(i, j);
    }
  }
  return buckets;
}

/** The same of one session, only from its events `from` … on: a row of all events for each. @throws when it has no times */
export function timeBucketsOfNewest(
  modelName: string,
  { itemIds, timestampsMs }: Pick<SessionBatch, 'itemIds' | 'timestampsMs'>,
  numBuckets: number,
  from: number,
): Uint8Array {
  const bucketOf = bucketsBetween(modelName, timestampsMs, numBuckets);
  const length = itemIds.length;
  const buckets = new Uint8Array((length - from) * length);
  for (let i = from; i < length; i++) for (let j = 0; j <= i; j++) buckets[(i - from) * length + j] = bucketOf(i, j);
  return buckets;
}

function bucketsBetween(modelName: string, timestampsMs: Float64Array | undefined, numBuckets: number) {
  if (!timestampsMs) {
    throw new MissingTimesError(
      `${modelName}: the sessions have no times; give the data a time column or set relativeTime: false`,
    );
  }
  return (i: number, j: number): number => {
    const seconds = Math.max(1, Math.abs(timestampsMs[i] - timestampsMs[j]) / 1000);
    return Math.min(numBuckets, Math.floor(Math.log(seconds) / BUCKET_WIDTH));
  };
}
