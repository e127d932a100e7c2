import { FIRST_ITEM_ID, UNKNOWN_ID } from '@nimue/batch';
import {
  columnsOfFeatures,
  type EncodedSessions,
  encodeSessions,
  type FeatureConfig,
  hideNewest,
  type PlainSession,
  packInferenceBatches,
  sessionsFromPlain,
} from '@nimue/data';
import { type ExcludedItems, topK } from '@nimue/ops';
import { visibleLength } from '@nimue/trainer';
import * as tf from '@tensorflow/tfjs';
import { readModelFolder } from '#read-model-folder';
import type { OpenedModel } from './open-model.ts';
import {
  type Recommendation,
  type RecommendedItem,
  type RecommendRequest,
  RequestError,
  type RequestSession,
} from './request.ts';

/** Sessions answered by one pass; changes no answer. */
const BATCH_SIZE = 256;
/** Stands for the item to be predicted; no log can hold it. */
const NEXT = '\u0000next';
const NOTHING = '\u0000nothing';

/** A trained model that answers requests. Dispose it. */
export class Recommender {
  readonly #opened: OpenedModel;
  readonly #idOf: ReadonlyMap<string, number>;
  readonly #histories = new Map<string, RequestSession>();
  #directions: tf.Tensor2D | undefined;

  constructor(opened: OpenedModel) {
    this.#opened = opened;
    this.#idOf = new Map(opened.itemIds.map((item, i) => [item, FIRST_ITEM_ID + i]));
  }

  /**
   * Opens a folder that `nimue run` or `writeModelFolder` wrote. The backend has to be chosen before.
   *
   * @throws naming the folder and why it cannot be used
   */
  static load(folder: string): Recommender {
    return new Recommender(readModelFolder(folder));
  }

  /** The label that the model had in its experiment. */
  get label(): string {
    return this.#opened.manifest.label;
  }

  get numItems(): number {
    return this.#opened.itemIds.length;
  }

  /** The newest window that the model learned from. */
  get trainedUntil(): string | undefined {
    return this.#opened.manifest.trainWindows.at(-1);
  }

  isKnown(item: string | number): boolean {
    return this.#idOf.has(String(item));
  }

  /** Keeps what a user has done, for requests that name the user. */
  setHistory(user: string, history: RequestSession): void {
    this.#histories.set(user, history);
  }

  /**
   * The best next items of every session, then of every user: exactly what evaluation ranks. Unknown items of a session are
   * left out of what the model sees; reserved ids are never recommended.
   *
   * @throws RequestError when the request is malformed, or a session is unsupported and `onUnsupported` is `error`
   */
  recommend(request: RecommendRequest): Recommendation[] {
    const { k = 10, onUnsupported = 'warn', withScores = false } = request;
    if (!Number.isInteger(k) || k < 1) throw new RequestError(`k is ${k}; expected a whole number ≥ 1`);
    const sessions = this.#sessionsOf(request);
    const unknown = sessions.map(({ items }) => items.map(String).filter((item) => !this.#idOf.has(item)));
    const warnings = sessions.map(({ items }, s) => {
      if (items.length > unknown[s].length) return undefined;
      const what = items.length === 0 ? 'has no items' : `has no item that the model knows (${unknown[s].slice(0, 3)})`;
      if (onUnsupported === 'error') throw new RequestError(`session ${s} ${what}`);
      return `session ${s} ${what}`;
    });
    const asked = sessions.flatMap((_, s) => (warnings[s] && onUnsupported === 'skip' ? [] : [s]));
    const lists = this.#rank(
      asked.map((s) => sessions[s]),
      k,
      request,
    );
    const items = new Map(asked.map((s, i) => [s, lists[i]] as const));
    return sessions.map((_, s) => ({
      items: (items.get(s) ?? []).map(({ score, ...item }) => ({ ...item, ...(withScores && { score }) })),
      unknownItems: unknown[s],
      ...(warnings[s] && { warning: warnings[s] }),
    }));
  }

  /**
   * The k items most like each of the given ones, by the cosine of their output vectors; never the item itself. The score is
   * the cosine.
   *
   * @throws RequestError when an item is unknown, or the model counts and so has no vectors
   */
  similarItems({ items, k = 10 }: { items: readonly (string | number)[]; k?: number }): RecommendedItem[][] {
    const { model } = this.#opened;
    if (model.kind !== 'neural') {
      throw new RequestError(`${this.label}: a model that counts has no item vectors; ask for recommendations instead`);
    }
    if (!Number.isInteger(k) || k < 1) throw new RequestError(`k is ${k}; expected a whole number ≥ 1`);
    const ids = Int32Array.from(items, (item) => {
      const id = this.#idOf.get(String(item));
      if (id === undefined) throw new RequestError(`item '${item}' is not known to the model`);
      return id;
    });
    const length = Math.min(k, this.numItems);
    if (ids.length === 0) return [];
    this.#directions ??= tf.tidy(() => {
      const table = model.itemTable();
      return tf.div(table, tf.maximum(tf.norm(table, 2, 1, true), 1e-30)) as tf.Tensor2D;
    });
    const table = this.#directions;
    const rows = tf.tidy(() => tf.gather(table, tf.tensor1d(ids, 'int32')));
    const excluded = { offsets: Int32Array.from({ length: ids.length + 1 }, (_, n) => n), itemIds: ids };
    const top = topK(rows, table, length, { excluded });
    rows.dispose();
    return Array.from(ids, (_, n) => this.#listOf(top, n, length));
  }

  /**
   * Which items of a session drove a recommendation: for each, the score of `item` with the whole session less that without
   * this event. Unknown items drove nothing: 0.
   *
   * @throws RequestError when `item` is unknown
   */
  explain({ session, item }: { session: RequestSession; item: string | number }): { item: string; effect: number }[] {
    if (!this.isKnown(item)) throw new RequestError(`item '${item}' is not known to the model`);
    const without = session.items.map((_, dropped) => withoutEvent(session, dropped));
    const lists = this.#rank([session, ...without], 1, { candidates: [item] });
    const [whole, ...others] = lists.map(([{ score = 0 }]) => score);
    return session.items.map((event, i) => ({
      item: String(event),
      effect: this.isKnown(event) ? whole - others[i] : 0,
    }));
  }

  dispose(): void {
    this.#directions?.dispose();
    this.#opened.model.dispose();
  }

  #sessionsOf({ sessions = [], users = [], onUnsupported }: RecommendRequest): RequestSession[] {
    const histories = users.map((user) => {
      const history = this.#histories.get(user);
      if (!history && onUnsupported === 'error') throw new RequestError(`user '${user}' is not known`);
      return history ?? { items: [] };
    });
    return [...sessions, ...histories];
  }

  #rank(sessions: readonly RequestSession[], k: number, request: RecommendRequest): RecommendedItem[][] {
    if (sessions.length === 0) return [];
    const { filterSeen, candidates: only, exclude = [] } = request;
    const candidates = only && this.#knownIds(only).sort();
    const length = Math.min(k, candidates?.length ?? this.numItems);
    if (length === 0) return sessions.map(() => []);
    const { model, objective, manifest } = this.#opened;
    const visible = this.#visible(sessions);
    const banned = this.#knownIds(exclude);
    const lists: RecommendedItem[][] = [];
    for (const batch of packInferenceBatches(visible, {
      batchSize: BATCH_SIZE,
      maxLength: visibleLength(model, manifest.maxLength),
      objective,
    })) {
      const first = lists.length;
      const end = first + batch.targets.positions.length;
      const excluded = filterSeen || banned.length > 0 ? hidden(visible, first, end, banned, filterSeen) : undefined;
      const top = model.recommend(batch, length, { excluded, candidates });
      for (let n = 0; n < end - first; n++) lists.push(this.#listOf(top, n, length));
    }
    return lists;
  }

  /** The sessions as evaluation shows them: an item to be predicted is added and hidden again. */
  #visible(sessions: readonly RequestSession[]): EncodedSessions {
    const { pipeline } = this.#opened;
    const configs = (pipeline?.toJSON().features ?? []).map(({ config }) => config as FeatureConfig);
    const hasTimes = sessions.some(({ timestampsMs }) => timestampsMs);
    try {
      const plain = sessions.map((session, s) => withNext(session, s, hasTimes));
      const { sessions: laid, source } = sessionsFromPlain(plain, columnsOfFeatures(configs));
      const asked = hasTimes ? laid : { ...laid, hasOnlyOrder: true };
      const encode = (codes: Int32Array) => codes.map((code) => this.#idOf.get(source.rawItemId(code)) ?? UNKNOWN_ID);
      const features = pipeline?.transform(asked, source);
      return hideNewest(encodeSessions(asked, { encode }, { unknown: 'skip', features })).visible;
    } catch (error) {
      throw new RequestError(error instanceof Error ? error.message : String(error));
    }
  }

  #knownIds(items: readonly (string | number)[]): Int32Array {
    return Int32Array.from(new Set(items.flatMap((item) => this.#idOf.get(String(item)) ?? [])));
  }

  #listOf({ itemIds, scores }: { itemIds: Int32Array; scores: Float32Array }, n: number, k: number): RecommendedItem[] {
    const list: RecommendedItem[] = [];
    for (let place = n * k; place < (n + 1) * k; place++) {
      if (itemIds[place] < FIRST_ITEM_ID || scores[place] === Number.NEGATIVE_INFINITY) continue;
      const item = this.#opened.itemIds[itemIds[place] - FIRST_ITEM_ID];
      const title = this.#opened.titles?.[item];
      list.push({ item, ...(title !== undefined && { title }), score: scores[place] });
    }
    return list;
  }
}

/** @throws when some sessions of a request have times and this one has none, or times and items differ in number */
function withNext({ items, timestampsMs, columns = {} }: RequestSession, s: number, hasTimes: boolean): PlainSession {
  if (hasTimes && items.length > 0 && timestampsMs?.length !== items.length) {
    throw new RequestError(
      `session ${s} has ${items.length} items but ${timestampsMs?.length ?? 'no'} timestamps; give one per item, or none at all`,
    );
  }
  const known = items.length > 0 ? items : [NOTHING];
  const times = known.map((_, i) => timestampsMs?.[i] ?? i);
  return {
    items: [...known, NEXT],
    timestampsMs: [...times, times[times.length - 1]],
    columns: Object.fromEntries(
      Object.entries(columns).map(([name, cells]) => [
        name,
        items.length > 0 ? [...cells, cells[cells.length - 1] ?? null] : [null, null],
      ]),
    ),
  };
}

function withoutEvent({ items, timestampsMs, columns }: RequestSession, dropped: number): RequestSession {
  const cut = <T>(values: readonly T[]) => values.filter((_, i) => i !== dropped);
  return {
    items: cut(items),
    ...(timestampsMs && { timestampsMs: cut(timestampsMs) }),
    ...(columns && { columns: Object.fromEntries(Object.entries(columns).map(([name, cells]) => [name, cut(cells)])) }),
  };
}

/** The items that sessions `first` … `end − 1` may not be recommended. */
function hidden(
  visible: EncodedSessions,
  first: number,
  end: number,
  banned: Int32Array,
  filterSeen = false,
): ExcludedItems {
  const offsets = new Int32Array(end - first + 1);
  const itemIds: number[] = [];
  for (let s = first; s < end; s++) {
    const seen = filterSeen ? visible.itemIds.subarray(visible.offsets[s], visible.offsets[s + 1]) : [];
    for (const id of new Set([...banned, ...seen])) if (id >= FIRST_ITEM_ID) itemIds.push(id);
    offsets[s - first + 1] = itemIds.length;
  }
  return { offsets, itemIds: Int32Array.from(itemIds) };
}
