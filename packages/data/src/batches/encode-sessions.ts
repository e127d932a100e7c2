import { UNKNOWN_ID } from '@nimue/batch';
import type { Sessions } from '../dataset/sessions.ts';
import type { ItemVocabulary } from '../vocabulary/item-vocabulary.ts';
import { takeColumns } from './take-events.ts';

/** Sessions of dense item ids: what batches are cut from. Same layout as `Sessions`. */
export interface EncodedSessions {
  /** Dense ids [T], `UNKNOWN_ID` for items outside the vocabulary. */
  readonly itemIds: Int32Array;
  /** Where each session starts [S + 1]. */
  readonly offsets: Int32Array;
  /** Milliseconds since 1970 UTC [T]. */
  readonly timestampsMs?: Float64Array;
  /** Named columns [T]: Int32 for categories, Float32 for numbers. */
  readonly features?: Readonly<Record<string, Int32Array | Float32Array>>;
  /** How much each event counts [T], for models that count; all alike when absent. Batches do not carry it. */
  readonly eventWeights?: Float32Array;
  /** Who each session is, for random draws that must not depend on its neighbours [S]; its place when not given. */
  readonly sessionKeys?: Int32Array;
}

export interface EncodeSessionsOptions {
  /**
   * What becomes of items that the vocabulary does not know. `'keep'`: they stay as `UNKNOWN_ID`. `'skip'`: they are
   * left out of what the model sees; where nothing else would remain, one `UNKNOWN_ID` stays. The newest item of a
   * session is never left out, because it is what the session is evaluated on: an unknown one stays as `UNKNOWN_ID`
   * and counts as a miss.
   */
  readonly unknown: 'skip' | 'keep';
  /** Named columns of the sessions' events [T] that go along: what a `FeaturePipeline` made of them. */
  readonly features?: Readonly<Record<string, Int32Array | Float32Array>>;
}

/**
 * Replaces raw item codes by dense ids.
 *
 * @example
 * // the vocabulary knows 10 → 3 and 20 → 4, but not 99
 * encodeSessions({ itemCodes: Int32Array.of(10, 99, 20), ... }, vocabulary, { unknown: 'skip' }).itemIds; // [3, 4]
 */
export function encodeSessions(
  sessions: Sessions,
  vocabulary: Pick<ItemVocabulary, 'encode'>,
  options: EncodeSessionsOptions,
): EncodedSessions {
  const itemIds = vocabulary.encode(sessions.itemCodes);
  const keys = sessions.sessionKeys && { sessionKeys: sessions.sessionKeys };
  const { features } = options;
  if (options.unknown === 'keep' || !itemIds.includes(UNKNOWN_ID)) {
    const times = sessions.hasOnlyOrder ? {} : { timestampsMs: sessions.timestampsMs };
    return { itemIds, offsets: sessions.offsets, ...times, ...(features && { features }), ...keys };
  }
  const numSessions = sessions.offsets.length - 1;
  const offsets = new Int32Array(numSessions + 1);
  const events = new Int32Array(itemIds.length);
  let kept = 0;
  const keep = (event: number) => {
    events[kept++] = event;
  };
  for (let s = 0; s < numSessions; s++) {
    const from = sessions.offsets[s];
    const last = sessions.offsets[s + 1] - 1;
    for (let event = from; event < last; event++) if (itemIds[event] !== UNKNOWN_ID) keep(event);
    const nothingKnown = kept === offsets[s] && last > from;
    if (nothingKnown) keep(last - 1);
    if (last >= from) keep(last);
    offsets[s + 1] = kept;
  }
  const source: EncodedSessions = {
    itemIds,
    offsets: sessions.offsets,
    ...(!sessions.hasOnlyOrder && { timestampsMs: sessions.timestampsMs }),
    ...(features && { features }),
  };
  return { ...takeColumns(source, events.subarray(0, kept)), offsets, ...keys };
}
