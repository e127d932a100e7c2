import type { SessionBatch } from '@nimue/batch';

/**
 * Turns a batch of whole sessions into what the model sees and what it has to predict. The newest item of a session is
 * only ever a target, so it is not among the inputs; a session of one item has nothing to predict and is left out.
 */
export type Objective = (batch: SessionBatch) => SessionBatch;

/** The inputs of a batch of whole sessions: each without its newest item. */
export interface Inputs {
  readonly batch: Omit<SessionBatch, 'targets'>;
  /** For every input position, the index of the same event in the original batch [T']. */
  readonly sourceIndex: Int32Array;
}

/** Leaves the newest item of each session out, and sessions of fewer than two items altogether. */
export function dropLastItems(whole: SessionBatch): Inputs {
  const numSessions = whole.offsets.length - 1;
  const kept: number[] = [0];
  let numInputs = 0;
  for (let s = 0; s < numSessions; s++) {
    const length = whole.offsets[s + 1] - whole.offsets[s];
    if (length < 2) continue;
    numInputs += length - 1;
    kept.push(numInputs);
  }
  const sourceIndex = new Int32Array(numInputs);
  let next = 0;
  for (let s = 0; s < numSessions; s++) {
    for (let event = whole.offsets[s]; event < whole.offsets[s + 1] - 1; event++) sourceIndex[next++] = event;
  }
  const features = whole.features && takeFeatures(whole.features, sourceIndex);
  return {
    sourceIndex,
    batch: {
      itemIds: sourceIndex.map((event) => whole.itemIds[event]),
      offsets: Int32Array.from(kept),
      ...(whole.timestampsMs && { timestampsMs: takeNumbers(whole.timestampsMs, sourceIndex) }),
      ...(features && { features }),
    },
  };
}

function takeNumbers(column: Float64Array, indices: Int32Array): Float64Array {
  const taken = new Float64Array(indices.length);
  for (let i = 0; i < taken.length; i++) taken[i] = column[indices[i]];
  return taken;
}

function takeFeatures(
  features: NonNullable<SessionBatch['features']>,
  indices: Int32Array,
): Record<string, Int32Array | Float32Array> {
  const taken: Record<string, Int32Array | Float32Array> = {};
  for (const [name, column] of Object.entries(features)) {
    const values = column instanceof Int32Array ? new Int32Array(indices.length) : new Float32Array(indices.length);
    for (let i = 0; i < values.length; i++) values[i] = column[indices[i]];
    taken[name] = values;
  }
  return taken;
}
