import type { SessionBatch } from '@nimue/batch';

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
  if (!timestampsMs) {
    throw new Error(`${modelName}: the sessions have no times; give the data a time column or set relativeTime: false`);
  }
  let size = 0;
  for (let b = 1; b < offsets.length; b++) size += (offsets[b] - offsets[b - 1]) ** 2;
  const buckets = new Uint8Array(size);
  let at = 0;
  for (let b = 1; b < offsets.length; b++) {
    for (let i = offsets[b - 1]; i < offsets[b]; i++) {
      for (let j = offsets[b - 1]; j < offsets[b]; j++) {
        const seconds = Math.max(1, Math.abs(timestampsMs[i] - timestampsMs[j]) / 1000);
        buckets[at++] = Math.min(numBuckets, Math.floor(Math.log(seconds) / BUCKET_WIDTH));
      }
    }
  }
  return buckets;
}
