import { mapColumns } from '../dataset/raw-columns.ts';
import type { Sessions } from '../dataset/sessions.ts';

/** Parts of sequences: event `from` up to before `to` of sequence `session`. */
interface Part {
  readonly session: number;
  readonly to: number;
}

/** What is trained on, and sequences whose last event is the one to predict. */
export interface HeldOut {
  readonly train: Sessions;
  readonly valid: Sessions;
  readonly test: Sessions;
}

export type TargetsAfterCut = 'all' | 'first' | 'last';

/**
 * Holds out the end of every sequence: its last `numTargets` events are test targets, as many before them validation
 * targets, each with all events before it visible, and the rest is trained on. A sequence that would leave nothing to
 * train on (shorter than 2 · numTargets + 1) is trained on whole and never asked for, as SASRec's and BERT4Rec's code do.
 *
 * A sequence of the train part may be later than the target of another one: what the protocol allows itself.
 *
 * @example
 * const { train, valid, test } = leaveLast(sessions, 1); // leave-one-out
 * // of a b c d: train a b, valid a b → c, test a b c → d
 */
export function leaveLast(sessions: Sessions, numTargets: number): HeldOut {
  const train: Part[] = [];
  const valid: Part[] = [];
  const test: Part[] = [];
  for (let s = 0; s < sessions.offsets.length - 1; s++) {
    const length = sessions.offsets[s + 1] - sessions.offsets[s];
    if (length <= 2 * numTargets) {
      train.push({ session: s, to: length });
      continue;
    }
    train.push({ session: s, to: length - 2 * numTargets });
    for (let i = numTargets; i > 0; i--) {
      valid.push({ session: s, to: length - numTargets - i + 1 });
      test.push({ session: s, to: length - i + 1 });
    }
  }
  return {
    train: beginningsOf(sessions, train),
    valid: beginningsOf(sessions, valid),
    test: beginningsOf(sessions, test),
  };
}

/** The events before an instant, of every sequence that has any. */
export function eventsBefore(sessions: Sessions, beforeMs: number): Sessions {
  const parts: Part[] = [];
  for (let s = 0; s < sessions.offsets.length - 1; s++) {
    const to = countBefore(sessions, s, beforeMs);
    if (to > 0) parts.push({ session: s, to });
  }
  return beginningsOf(sessions, parts);
}

/**
 * The events from `fromMs` up to before `toMs` as targets, each as the end of its sequence so far. The first event of a
 * sequence is no target, since nothing is visible before it.
 *
 * @param targets every event in the span, or only the first or last of each sequence in it
 */
export function targetsBetween(sessions: Sessions, fromMs: number, toMs: number, targets: TargetsAfterCut): Sessions {
  const parts: Part[] = [];
  for (let s = 0; s < sessions.offsets.length - 1; s++) {
    const first = Math.max(1, countBefore(sessions, s, fromMs));
    const end = countBefore(sessions, s, toMs);
    if (end <= first) continue;
    const from = targets === 'last' ? end - 1 : first;
    const until = targets === 'first' ? first + 1 : end;
    for (let target = from; target < until; target++) parts.push({ session: s, to: target + 1 });
  }
  return beginningsOf(sessions, parts);
}

/** Events of a sequence before an instant; its times never fall. */
function countBefore({ offsets, timestampsMs }: Sessions, session: number, beforeMs: number): number {
  let low = offsets[session];
  let high = offsets[session + 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timestampsMs[middle] < beforeMs) low = middle + 1;
    else high = middle;
  }
  return low - offsets[session];
}

/** The first `to` events of sequences, one after another; a sequence keeps its key. */
function beginningsOf(sessions: Sessions, parts: readonly Part[]): Sessions {
  const { sessionKeys, hasOnlyOrder } = sessions;
  const offsets = new Int32Array(parts.length + 1);
  for (const [p, { to }] of parts.entries()) offsets[p + 1] = offsets[p] + to;
  const itemCodes = new Int32Array(offsets[parts.length]);
  const timestampsMs = new Float64Array(itemCodes.length);
  for (const [p, { session, to }] of parts.entries()) {
    const from = sessions.offsets[session];
    itemCodes.set(sessions.itemCodes.subarray(from, from + to), offsets[p]);
    timestampsMs.set(sessions.timestampsMs.subarray(from, from + to), offsets[p]);
  }
  return {
    itemCodes,
    offsets,
    timestampsMs,
    ...mapColumns(sessions.columns, (column) => {
      const taken = new Float64Array(itemCodes.length);
      for (const [p, { session, to }] of parts.entries()) {
        const from = sessions.offsets[session];
        taken.set(column.subarray(from, from + to), offsets[p]);
      }
      return taken;
    }),
    ...(hasOnlyOrder && { hasOnlyOrder }),
    ...(sessionKeys && { sessionKeys: Int32Array.from(parts, ({ session }) => sessionKeys[session]) }),
  };
}
