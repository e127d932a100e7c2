import { createRandom, hashNumbers, shuffledOrder } from '../random/random.ts';

/** Which sessions travel together. */
export interface BatchPlanOptions {
  /** Sessions per batch; the last batch may be smaller. */
  readonly batchSize: number;
  /** Token budget: at most this many events per batch, targets and all, after truncation. A longer session travels alone. */
  readonly maxBatchEvents?: number;
  /**
   * Bucketing by length: sessions are shuffled, then sorted by length within pools of this many batches, so that a batch
   * holds sessions of about the same length; the order of the batches of a pool is shuffled. Default: no bucketing.
   */
  readonly bucketBatches?: number;
  /** Shuffles the sessions; without a seed they keep their order. */
  readonly seed?: number;
  /** Another epoch, another order, always the same for the same (seed, epoch). Default 0. */
  readonly epoch?: number;
}

/** The sessions of a batch: chosen ones, or those from `first` up to before `end` in their order. */
export type PlannedBatch = Int32Array | { readonly first: number; readonly end: number };

/**
 * Decides which sessions go into which batch, from their lengths alone.
 *
 * @param offsets where each session starts [S + 1]
 * @param longest events of a session that are seen at most
 * @throws when an option is not a whole number ≥ 1
 */
export function* planBatches(
  offsets: Int32Array,
  { batchSize, maxBatchEvents, bucketBatches, seed, epoch = 0 }: BatchPlanOptions,
  longest = Number.POSITIVE_INFINITY,
): Generator<PlannedBatch> {
  for (const [name, value] of Object.entries({ batchSize, maxBatchEvents, bucketBatches })) {
    if (value !== undefined) assertCount(name, value);
  }
  const numSessions = offsets.length - 1;
  const budget = maxBatchEvents ?? Number.POSITIVE_INFINITY;
  const seen = (session: number) => Math.min(offsets[session + 1] - offsets[session], longest);
  if (seed === undefined && bucketBatches === undefined) {
    for (let first = 0; first < numSessions; ) {
      const end = endOfBatch(first, numSessions, batchSize, budget, seen);
      yield { first, end };
      first = end;
    }
    return;
  }
  const random = seed === undefined ? undefined : createRandom(hashNumbers(seed, epoch));
  const order = random ? shuffledOrder(numSessions, random) : Int32Array.from({ length: numSessions }, (_, s) => s);
  const poolSize = bucketBatches === undefined ? numSessions : Math.min(numSessions, bucketBatches * batchSize);
  for (let from = 0; from < numSessions; from += poolSize) {
    const pool = order.subarray(from, Math.min(from + poolSize, numSessions));
    if (bucketBatches !== undefined) pool.sort((a, b) => seen(a) - seen(b));
    const batches: Int32Array[] = [];
    for (let first = 0; first < pool.length; ) {
      const end = endOfBatch(first, pool.length, batchSize, budget, (i) => seen(pool[i]));
      batches.push(pool.subarray(first, end));
      first = end;
    }
    if (bucketBatches === undefined || !random) yield* batches;
    else for (const index of shuffledOrder(batches.length, random)) yield batches[index];
  }
}

/** Number of batches that `planBatches` cuts. */
export function countBatches(offsets: Int32Array, options: BatchPlanOptions, longest?: number): number {
  if (options.maxBatchEvents === undefined && options.bucketBatches === undefined) {
    return Math.ceil((offsets.length - 1) / options.batchSize);
  }
  let count = 0;
  for (const _ of planBatches(offsets, options, longest)) count++;
  return count;
}

function endOfBatch(
  first: number,
  limit: number,
  batchSize: number,
  budget: number,
  seen: (index: number) => number,
): number {
  let end = first + 1;
  let numEvents = seen(first);
  while (end < limit && end - first < batchSize && numEvents + seen(end) <= budget) numEvents += seen(end++);
  return end;
}

/** @throws when it is not a whole number ≥ 1 */
export function assertCount(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1) {
    throw new Error(`packBatches: ${name} must be a whole number ≥ 1, got ${value}`);
  }
}
