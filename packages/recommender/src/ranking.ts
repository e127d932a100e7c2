import { FIRST_ITEM_ID } from '@nimue/batch';
import { type EncodedSessions, packInferenceBatches } from '@nimue/data';
import { hiddenAtTargets, type SessionMemory } from '@nimue/models';
import type { ExcludedItems, TopItems } from '@nimue/ops';
import { visibleLength } from '@nimue/trainer';
import * as tf from '@tensorflow/tfjs';
import type { OpenedModel } from './open-model.ts';
import type { SearchedItems } from './searched-items.ts';

/** Sessions answered by one pass; changes no answer. */
const BATCH_SIZE = 256;

export interface RankOptions {
  /** Items per list: at least 1, at most those that can be recommended. */
  readonly k: number;
  /** Dense ids, rising. */
  readonly candidates?: Int32Array;
  /** Dense ids that session s may not be recommended. */
  readonly hiddenOf?: (s: number) => Iterable<number>;
  readonly memory?: SessionMemory;
  /** In place of looking at every item. */
  readonly search?: SearchedItems;
}

/** The k best items of every session: its dense ids and scores, best first. */
export type RankedList = readonly { readonly id: number; readonly score: number }[];

/** Ranks the items for every session, the way that evaluation does. */
export function rankItems(
  { model, objective, manifest }: OpenedModel,
  visible: EncodedSessions,
  options: RankOptions,
): RankedList[] {
  const { k, candidates, hiddenOf, memory, search } = options;
  const lists: RankedList[] = [];
  const batches = packInferenceBatches(visible, {
    batchSize: BATCH_SIZE,
    maxLength: visibleLength(model, manifest.maxLength),
    objective,
  });
  for (const batch of batches) {
    const first = lists.length;
    const excluded = hiddenOf && excludedItems(first, first + batch.targets.positions.length, hiddenOf);
    if (search && !candidates && model.kind === 'neural') {
      const hidden = tf.tidy(() => hiddenAtTargets(model, batch, { training: false, memory }));
      try {
        lists.push(...search.best(hidden, k, excluded));
      } finally {
        hidden.dispose();
      }
      continue;
    }
    const top = model.recommend(batch, k, { excluded, candidates, memory });
    for (let n = 0; n < batch.targets.positions.length; n++) lists.push(listOf(top, n, k));
  }
  return lists;
}

function listOf({ itemIds, scores }: TopItems, n: number, k: number): RankedList {
  const list: { id: number; score: number }[] = [];
  for (let place = n * k; place < (n + 1) * k; place++) {
    // Fewer than k could be recommended.
    if (itemIds[place] < FIRST_ITEM_ID || scores[place] === Number.NEGATIVE_INFINITY) continue;
    list.push({ id: itemIds[place], score: scores[place] });
  }
  return list;
}

/** The items that sessions `first` … `end − 1` may not be recommended. */
function excludedItems(first: number, end: number, hiddenOf: (s: number) => Iterable<number>): ExcludedItems {
  const offsets = new Int32Array(end - first + 1);
  const itemIds: number[] = [];
  for (let s = first; s < end; s++) {
    for (const id of new Set(hiddenOf(s))) if (id >= FIRST_ITEM_ID) itemIds.push(id);
    offsets[s - first + 1] = itemIds.length;
  }
  return { offsets, itemIds: Int32Array.from(itemIds) };
}
