/**
 * Sessions of different lengths laid end to end, without padding.
 *
 * Shape letters, used in every package: B sessions, T real positions, N scored positions, V items (table rows,
 * reserved ids included), D width, H heads, C candidates.
 *
 * Session `b` owns the positions `offsets[b] … offsets[b + 1] - 1`, oldest event first. This is the layout of Arrow's
 * List column, so a batch can be a view of one.
 */
export interface SessionBatch {
  /** Dense item ids [T]; ids below `FIRST_ITEM_ID` are reserved. */
  readonly itemIds: Int32Array;
  /** Where each session starts [B + 1]: `offsets[0] = 0`, never falling, `offsets[B] = T`. */
  readonly offsets: Int32Array;
  /** Milliseconds since 1970-01-01 UTC [T]. */
  readonly timestampsMs?: Float64Array;
  /** Named columns [T]: Int32 for categories, Float32 for numbers. */
  readonly features?: Readonly<Record<string, Int32Array | Float32Array>>;
  /** Who each session is, whatever batch it travels in [B]: what is drawn at random for a session is drawn by its key. */
  readonly sessionKeys?: Int32Array;
  /**
   * Factorisation order of a permutation objective [T]: what position i may use of its session is the items at places
   * below `factorizationPlaces[i]`, and its own item only where that is not the one to be predicted (`factorizationMask`).
   */
  readonly factorizationPlaces?: Int32Array;
  /** The items before some were hidden [T], for a discriminator that tells replaced items from true ones. Never an input. */
  readonly originalItemIds?: Int32Array;
  /** What is to be predicted where: N pairs of a position (index into T) and the item id expected there. */
  readonly targets: SessionTargets;
}

export interface SessionTargets {
  /** Positions [N], each in 0 … T - 1, strictly rising. */
  readonly positions: Int32Array;
  /** Expected item ids [N], each ≥ `FIRST_ITEM_ID`, or `UNKNOWN_ID` for an item outside the vocabulary (evaluation only). */
  readonly itemIds: Int32Array;
  /** What else is known of the events that are to be predicted, by name: [N] each, NaN where it is not known. */
  readonly labels?: Readonly<Record<string, Float32Array>>;
  /** How much each target counts in a loss that ranks items [N], finite and ≥ 0; all alike when absent. */
  readonly weights?: Float32Array;
}

/** No targets: what a batch carries when it is only to be encoded. */
export const NO_TARGETS: SessionTargets = { positions: new Int32Array(0), itemIds: new Int32Array(0) };

/** Number of sessions B. */
export function numSessions(batch: Pick<SessionBatch, 'offsets'>): number {
  return batch.offsets.length - 1;
}

/** Length of the longest session; 0 for an empty batch. */
export function maxSessionLength(offsets: Int32Array): number {
  let longest = 0;
  for (let b = 1; b < offsets.length; b++) longest = Math.max(longest, offsets[b] - offsets[b - 1]);
  return longest;
}

/** The position of every event within its session [T], counted from 0 at the oldest. */
export function positionsInSession(offsets: Int32Array): Int32Array {
  const positions = new Int32Array(offsets[offsets.length - 1]);
  for (let b = 1; b < offsets.length; b++) {
    for (let i = offsets[b - 1]; i < offsets[b]; i++) positions[i] = i - offsets[b - 1];
  }
  return positions;
}

/** The same counted from 0 at the newest. */
export function positionsFromNewest(offsets: Int32Array): Int32Array {
  const positions = new Int32Array(offsets[offsets.length - 1]);
  for (let b = 1; b < offsets.length; b++) {
    for (let i = offsets[b - 1]; i < offsets[b]; i++) positions[i] = offsets[b] - 1 - i;
  }
  return positions;
}

/** Index into T of the newest event of every session [B]; empty sessions are an error. @throws when a session is empty. */
export function lastPositions(offsets: Int32Array): Int32Array {
  const last = new Int32Array(offsets.length - 1);
  for (let b = 0; b < last.length; b++) {
    if (offsets[b + 1] === offsets[b])
      throw new Error(`lastPositions: session ${b} is empty; drop empty sessions first`);
    last[b] = offsets[b + 1] - 1;
  }
  return last;
}
