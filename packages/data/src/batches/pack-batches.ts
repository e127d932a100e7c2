import { NO_TARGETS, type SessionBatch } from '@nimue/batch';
import { createRandom, hashNumbers, shuffledOrder } from '../random/random.ts';
import type { EncodedSessions } from './encode-sessions.ts';
import type { Objective } from './objective.ts';

export interface PackBatchesOptions {
  /** Sessions per batch; the last batch may be smaller. */
  readonly batchSize: number;
  /**
   * At most this many items of a session are seen by the model; the newest are kept. With an objective the target item
   * is not counted: `maxLength` inputs and one more item that is only a target.
   */
  readonly maxLength?: number;
  /** Shuffles the sessions; without a seed they keep their order. */
  readonly seed?: number;
  /** Another epoch, another order, always the same for the same (seed, epoch). Default 0. */
  readonly epoch?: number;
  /** Applied to every batch; without it batches hold whole sessions and no targets. Batches it leaves empty are dropped. */
  readonly objective?: Objective;
}

/**
 * Cuts sessions into packed batches. In log order and without truncation a batch is a view of the columns (only its
 * offsets are new); otherwise the sessions are copied.
 *
 * @throws when `batchSize` or `maxLength` is not a whole number ≥ 1
 *
 * @example
 * for (const batch of packBatches(encoded, { batchSize: 128, maxLength: 20, seed: 1, epoch, objective: causal })) ...
 */
export function* packBatches(encoded: EncodedSessions, options: PackBatchesOptions): Generator<SessionBatch> {
  const { batchSize, maxLength, seed, epoch = 0, objective } = options;
  assertCount('batchSize', batchSize);
  if (maxLength !== undefined) assertCount('maxLength', maxLength);
  const longest = maxLength === undefined ? Number.POSITIVE_INFINITY : maxLength + (objective ? 1 : 0);
  const numSessions = encoded.offsets.length - 1;
  const order = seed === undefined ? undefined : shuffledOrder(numSessions, createRandom(hashNumbers(seed, epoch)));
  for (let first = 0; first < numSessions; first += batchSize) {
    const end = Math.min(first + batchSize, numSessions);
    const whole = order
      ? copyOf(encoded, order.subarray(first, end), longest)
      : viewOrCopy(encoded, first, end, longest);
    const batch = objective ? objective(whole) : whole;
    if (batch.itemIds.length > 0) yield batch;
  }
}

/** Number of batches that `packBatches` cuts from so many sessions, when every session has at least two items. */
export function countBatches(numSessions: number, batchSize: number): number {
  return Math.ceil(numSessions / batchSize);
}

function viewOrCopy(encoded: EncodedSessions, first: number, end: number, longest: number): SessionBatch {
  const from = encoded.offsets[first];
  const to = encoded.offsets[end];
  const offsets = encoded.offsets.slice(first, end + 1);
  for (let b = 0; b < offsets.length; b++) offsets[b] -= from;
  for (let b = 1; b < offsets.length; b++) {
    if (offsets[b] - offsets[b - 1] > longest) {
      const sessions = new Int32Array(end - first).map((_, b) => first + b);
      return copyOf(encoded, sessions, longest);
    }
  }
  return {
    itemIds: encoded.itemIds.subarray(from, to),
    offsets,
    ...(encoded.timestampsMs && { timestampsMs: encoded.timestampsMs.subarray(from, to) }),
    targets: NO_TARGETS,
  };
}

function copyOf(encoded: EncodedSessions, sessions: Int32Array, longest: number): SessionBatch {
  const offsets = new Int32Array(sessions.length + 1);
  for (let b = 0; b < sessions.length; b++) {
    const length = encoded.offsets[sessions[b] + 1] - encoded.offsets[sessions[b]];
    offsets[b + 1] = offsets[b] + Math.min(length, longest);
  }
  const itemIds = new Int32Array(offsets[sessions.length]);
  const timestampsMs = encoded.timestampsMs && new Float64Array(itemIds.length);
  for (let b = 0; b < sessions.length; b++) {
    const to = encoded.offsets[sessions[b] + 1];
    const from = to - (offsets[b + 1] - offsets[b]);
    itemIds.set(encoded.itemIds.subarray(from, to), offsets[b]);
    if (timestampsMs && encoded.timestampsMs) timestampsMs.set(encoded.timestampsMs.subarray(from, to), offsets[b]);
  }
  return { itemIds, offsets, ...(timestampsMs && { timestampsMs }), targets: NO_TARGETS };
}

function assertCount(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1) {
    throw new Error(`packBatches: ${name} must be a whole number ≥ 1, got ${value}`);
  }
}
