import { NO_TARGETS, type SessionBatch } from '@nimue/batch';
import type { EncodedSessions } from './encode-sessions.ts';
import { createLabelledBatch } from './label-targets.ts';
import type { Objective } from './objective.ts';
import { assertCount, type BatchPlanOptions, type PlannedBatch, planBatches } from './plan-batches.ts';
import type { SpilledSessions } from './spilled-sessions.ts';

export interface PackBatchesOptions extends BatchPlanOptions {
  /**
   * At most this many positions of a session are seen by the model; the newest are kept. An item that is only a target
   * is not counted: the causal objective takes `maxLength` inputs and one more item.
   */
  readonly maxLength?: number;
  /** Makes the targets; without it batches hold whole sessions and no targets. Batches it leaves empty are dropped. */
  readonly objective?: Objective;
}

/**
 * Cuts sessions into packed batches. In log order and without truncation a batch is a view of the columns (only its
 * offsets are new), and so of an Arrow table that the sessions were made from; otherwise the sessions are copied. The seed
 * shuffles the sessions and decides what the objective draws.
 *
 * @throws when a size is not a whole number ≥ 1
 *
 * @example
 * for (const batch of packBatches(encoded, { batchSize: 128, maxLength: 20, seed: 1, epoch, objective: causal.create({}) })) ...
 */
export function* packBatches(
  encoded: EncodedSessions | SpilledSessions,
  options: PackBatchesOptions,
): Generator<SessionBatch> {
  const { maxLength, seed = 0, epoch = 0, objective } = options;
  const longest = longestSeen(maxLength, objective);
  for (const planned of planBatches(encoded.offsets, options, longest)) {
    const whole = wholeBatch(encoded, planned, longest);
    const batch = objective ? createLabelledBatch(objective, whole, { seed, epoch }) : whole;
    if (batch.itemIds.length > 0) yield batch;
  }
}

/** Events of a session that leave the data set: those that the model sees and one that is only a target. */
export function longestSeen(maxLength?: number, objective?: Pick<Objective, 'numTargetOnly'>): number {
  if (maxLength === undefined) return Number.POSITIVE_INFINITY;
  assertCount('maxLength', maxLength);
  return maxLength + (objective?.numTargetOnly ?? 0);
}

function wholeBatch(encoded: EncodedSessions | SpilledSessions, planned: PlannedBatch, longest: number): SessionBatch {
  if ('take' in encoded) return encoded.take(sessionsOf(planned), longest);
  if (planned instanceof Int32Array) return copyOf(encoded, planned, longest);
  return viewOrCopy(encoded, planned.first, planned.end, longest);
}

function sessionsOf(planned: PlannedBatch): Int32Array {
  if (planned instanceof Int32Array) return planned;
  return Int32Array.from({ length: planned.end - planned.first }, (_, b) => planned.first + b);
}

export interface PackInferenceBatchesOptions {
  /** Sessions per batch; changes no prediction. */
  readonly batchSize: number;
  /** At most this many positions of a session are seen by the model, appended ones included; the newest are kept. */
  readonly maxLength?: number;
  /** What the model was trained with. */
  readonly objective: Objective;
  /** The next item of every session [S], where it is known. */
  readonly targetIds?: Int32Array;
}

/**
 * What a model is shown when the next item of every session is asked for: the one path of evaluation and recommendation.
 *
 * @param visible sessions of at least one event, in the order of the predictions
 * @throws when a session is empty, or `maxLength` leaves no room for a visible item
 */
export function* packInferenceBatches(
  visible: EncodedSessions,
  { batchSize, maxLength, objective, targetIds }: PackInferenceBatchesOptions,
): Generator<SessionBatch> {
  if (maxLength !== undefined && maxLength <= objective.numAppended) {
    throw new Error(
      `packInferenceBatches: maxLength is ${maxLength}, but objective '${objective.name}' needs at least ${objective.numAppended + 1}`,
    );
  }
  const numVisible = maxLength === undefined ? undefined : maxLength - objective.numAppended;
  let first = 0;
  for (const batch of packBatches(visible, { batchSize, maxLength: numVisible })) {
    const end = first + batch.offsets.length - 1;
    yield objective.createInferenceBatch(batch, targetIds?.subarray(first, end));
    first = end;
  }
}

function viewOrCopy(encoded: EncodedSessions, first: number, end: number, longest: number): SessionBatch {
  const from = encoded.offsets[first];
  const to = encoded.offsets[end];
  const offsets = encoded.offsets.slice(first, end + 1);
  for (let b = 0; b < offsets.length; b++) offsets[b] -= from;
  for (let b = 1; b < offsets.length; b++) {
    if (offsets[b] - offsets[b - 1] > longest) {
      return copyOf(encoded, sessionsOf({ first, end }), longest);
    }
  }
  return {
    itemIds: encoded.itemIds.subarray(from, to),
    offsets,
    ...(encoded.timestampsMs && { timestampsMs: encoded.timestampsMs.subarray(from, to) }),
    ...(encoded.features && { features: mapColumns(encoded.features, (column) => column.subarray(from, to)) }),
    sessionKeys: encoded.sessionKeys?.subarray(first, end) ?? sessionsOf({ first, end }),
    targets: NO_TARGETS,
  };
}

function copyOf(encoded: EncodedSessions, sessions: Int32Array, longest: number): SessionBatch {
  const offsets = new Int32Array(sessions.length + 1);
  for (let b = 0; b < sessions.length; b++) {
    const length = encoded.offsets[sessions[b] + 1] - encoded.offsets[sessions[b]];
    offsets[b + 1] = offsets[b] + Math.min(length, longest);
  }
  const { sessionKeys } = encoded;
  const take = <Column extends Int32Array | Float32Array | Float64Array>(column: Column, taken: Column): Column => {
    for (let b = 0; b < sessions.length; b++) {
      const to = encoded.offsets[sessions[b] + 1];
      taken.set(column.subarray(to - (offsets[b + 1] - offsets[b]), to), offsets[b]);
    }
    return taken;
  };
  const length = offsets[sessions.length];
  return {
    itemIds: take(encoded.itemIds, new Int32Array(length)),
    offsets,
    ...(encoded.timestampsMs && { timestampsMs: take(encoded.timestampsMs, new Float64Array(length)) }),
    ...(encoded.features && {
      features: mapColumns(encoded.features, (column) =>
        column instanceof Int32Array
          ? take(column, new Int32Array(length))
          : take(column as Float32Array, new Float32Array(length)),
      ),
    }),
    sessionKeys: sessionKeys ? sessions.map((s) => sessionKeys[s]) : sessions.slice(),
    targets: NO_TARGETS,
  };
}

function mapColumns(
  columns: NonNullable<SessionBatch['features']>,
  map: (column: Int32Array | Float32Array) => Int32Array | Float32Array,
): NonNullable<SessionBatch['features']> {
  return Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, map(column)]));
}
