import { MASK_ID, type SessionBatch } from '@nimue/batch';

/** A batch without its targets. */
export type Inputs = Omit<SessionBatch, 'targets'>;

/** Part of a batch: chosen events in new sessions. */
export interface Taken {
  readonly inputs: Inputs;
  /** For every position, the index of its event in the batch it was taken from [T']. */
  readonly sourceIndex: Int32Array;
}

/**
 * Every session without its last `numDropped` events and with its newest remaining event repeated `numRepeated` times at
 * the end; sessions of fewer than `minLength` events are left out. Every column goes along, as a copy.
 */
export function takeEvents(
  whole: Inputs,
  { numDropped = 0, numRepeated = 0, minLength = 1 }: { numDropped?: number; numRepeated?: number; minLength?: number },
): Taken {
  const lengthOf = (s: number) => whole.offsets[s + 1] - whole.offsets[s];
  const kept: number[] = [];
  for (let s = 0; s < whole.offsets.length - 1; s++) if (lengthOf(s) >= minLength) kept.push(s);
  const offsets = new Int32Array(kept.length + 1);
  for (const [b, s] of kept.entries()) offsets[b + 1] = offsets[b] + lengthOf(s) - numDropped + numRepeated;
  const sourceIndex = new Int32Array(offsets[kept.length]);
  for (const [b, s] of kept.entries()) {
    const newest = whole.offsets[s + 1] - 1 - numDropped;
    for (let i = offsets[b], event = whole.offsets[s]; i < offsets[b + 1]; i++, event++) {
      sourceIndex[i] = Math.min(event, newest);
    }
  }
  return { sourceIndex, inputs: { ...takeColumns(whole, sourceIndex), offsets, ...keysOf(whole, kept) } };
}

/**
 * Hides events from the model: their item becomes `MASK_ID`, every feature 0 (no category, and the mean of a standardised
 * number), and their time that of the event before, which is what is known when the next event is to be predicted. The
 * first event of a session keeps its time. The columns are changed in place.
 *
 * @param positions rising
 */
export function hideEvents({ itemIds, offsets, timestampsMs, features }: Inputs, positions: Iterable<number>): void {
  let session = 0;
  for (const position of positions) {
    itemIds[position] = MASK_ID;
    for (const column of Object.values(features ?? {})) column[position] = 0;
    while (offsets[session + 1] <= position) session++;
    if (timestampsMs && position > offsets[session]) timestampsMs[position] = timestampsMs[position - 1];
  }
}

/** Every column of events at chosen events, in their order. */
export function takeColumns(
  whole: Pick<Inputs, 'itemIds' | 'timestampsMs' | 'features'>,
  indices: Int32Array,
): Pick<Inputs, 'itemIds' | 'timestampsMs' | 'features'> {
  const { itemIds, timestampsMs, features } = whole;
  return {
    itemIds: takeFrom(itemIds, indices, new Int32Array(indices.length)),
    ...(timestampsMs && { timestampsMs: takeFrom(timestampsMs, indices, new Float64Array(indices.length)) }),
    ...(features && {
      features: Object.fromEntries(
        Object.entries(features).map(([name, column]) => [
          name,
          column instanceof Int32Array
            ? takeFrom(column, indices, new Int32Array(indices.length))
            : takeFrom(column, indices, new Float32Array(indices.length)),
        ]),
      ),
    }),
  };
}

function takeFrom<Column extends Int32Array | Float32Array | Float64Array>(
  column: ArrayLike<number>,
  indices: Int32Array,
  taken: Column,
): Column {
  for (let i = 0; i < indices.length; i++) taken[i] = column[indices[i]];
  return taken;
}

function keysOf({ sessionKeys }: Inputs, sessions: readonly number[]): Pick<Inputs, 'sessionKeys'> {
  return sessionKeys ? { sessionKeys: Int32Array.from(sessions, (s) => sessionKeys[s]) } : {};
}
