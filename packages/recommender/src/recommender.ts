import type { EncodedSessions, RawColumn } from '@nimue/data';
import { MissingTimesError, type SessionMemory } from '@nimue/models';
import { readModelFolder, readModelFolderAside } from '#read-model-folder';
import { addItems, type NewItem } from './add-items.ts';
import { Catalogue } from './catalogue.ts';
import { explainItem, type ItemEffect } from './explain-item.ts';
import type { ItemSearch } from './item-search.ts';
import { LiveSession } from './live-session.ts';
import type { OpenedModel } from './open-model.ts';
import { type RankedList, type RankOptions, rankItems } from './ranking.ts';
import {
  assertListLength,
  type Recommendation,
  type RecommendedItem,
  type RecommendRequest,
  RequestError,
  type RequestSession,
} from './request.ts';
import { SearchedItems } from './searched-items.ts';
import { SessionEncoder } from './session-encoder.ts';
import { SimilarItems } from './similar-items.ts';
import { runSteps, runStepsAside, type Steps } from './steps.ts';

/** A request that was read: its sessions, and what is odd about them. */
interface Asked {
  readonly request: RecommendRequest;
  readonly sessions: readonly RequestSession[];
  readonly unknown: readonly (readonly string[])[];
  readonly warnings: readonly (string | undefined)[];
}

/** A trained model that answers requests. Dispose it. */
export class Recommender {
  readonly #opened: OpenedModel;
  readonly #catalogue: Catalogue;
  readonly #encoder: SessionEncoder;
  readonly #similar: SimilarItems;
  #histories = new Map<string, RequestSession>();
  #search: SearchedItems | undefined;

  constructor(opened: OpenedModel, catalogue = runSteps(Catalogue.create(opened.itemIds, opened.titles))) {
    this.#opened = opened;
    this.#catalogue = catalogue;
    this.#encoder = new SessionEncoder(this.#catalogue, opened.pipeline);
    this.#similar = new SimilarItems(opened.model);
  }

  /**
   * Opens a folder that `nimue run` or `writeModelFolder` wrote. The backend has to be chosen before.
   *
   * @throws naming the folder and why it cannot be used
   */
  static load(folder: string): Recommender {
    return new Recommender(readModelFolder(folder));
  }

  /**
   * `load` for a program that answers requests meanwhile: it reads and computes in pieces of some milliseconds, and lets what
   * waits have its turn between them.
   *
   * @param options.search finds items by an index, as `useSearch` does
   * @throws naming the folder and why it cannot be used
   */
  static async loadAside(folder: string, { search }: { readonly search?: ItemSearch } = {}): Promise<Recommender> {
    const opened = await readModelFolderAside(folder);
    try {
      const catalogue = await runStepsAside(Catalogue.create(opened.itemIds, opened.titles));
      const recommender = new Recommender(opened, catalogue);
      if (search) recommender.#search = await runStepsAside(recommender.#searchedItems(search));
      return recommender;
    } catch (error) {
      opened.model.dispose();
      throw error;
    }
  }

  /** The label that the model had in its experiment. */
  get label(): string {
    return this.#opened.manifest.label;
  }

  get numItems(): number {
    return this.#catalogue.numItems;
  }

  /** The newest window that the model learned from. */
  get trainedUntil(): string | undefined {
    return this.#opened.manifest.trainWindows.at(-1);
  }

  /** Columns of events that the model's features read: what `columns` and `context` of a session may hold. */
  get columns(): readonly RawColumn[] {
    return this.#encoder.columns;
  }

  /** Whether a `LiveSession` computes new events only. */
  get remembersSessions(): boolean {
    const { model } = this.#opened;
    return model.kind === 'neural' && model.remembersSessions === true;
  }

  isKnown(item: string | number): boolean {
    return this.#catalogue.idOf(item) !== undefined;
  }

  /** Raw ids of all items, in the order of the item table. */
  get items(): readonly string[] {
    return this.#catalogue.rawIds;
  }

  /** Raw id → title, of the items that have one. */
  get titles(): ReadonlyMap<string, string> {
    return this.#catalogue.titles;
  }

  /** Keeps what a user has done, for requests that name the user. */
  setHistory(user: string, history: RequestSession): void {
    this.#histories.set(user, history);
  }

  hasHistory(user: string): boolean {
    return this.#histories.has(user);
  }

  get numUsers(): number {
    return this.#histories.size;
  }

  /** Hands the histories over to the model that takes this one's place. */
  handHistories(to: Recommender): void {
    to.#histories = this.#histories;
  }

  /**
   * The best next items of every session, then of every user: exactly what evaluation ranks. Unknown items of a session are
   * left out of what the model sees; reserved ids are never recommended.
   *
   * @throws RequestError when the request is malformed, or a session is unsupported and `onUnsupported` is `error`
   */
  recommend(request: RecommendRequest): Recommendation[] {
    return this.#answer([this.#read(request)])[0];
  }

  /**
   * Answers several requests by as few passes as possible, each as `recommend` would; in place of the answer to one that is at
   * fault stands its error.
   */
  recommendAll(requests: readonly RecommendRequest[]): (Recommendation[] | RequestError)[] {
    const asked = requests.map((request) => caught(() => this.#read(request)));
    const sound = asked.filter((one) => !(one instanceof RequestError)) as Asked[];
    const together = caught(() => this.#answer(sound));
    const answerOf = new Map<Asked | RequestError, Recommendation[] | RequestError>(
      // What one of them is refused for must not be laid to the others.
      sound.map((one, i) => [
        one,
        together instanceof RequestError ? caught(() => this.#answer([one])[0]) : together[i],
      ]),
    );
    return asked.map((one) => (one instanceof RequestError ? one : (answerOf.get(one) as Recommendation[])));
  }

  /** A session that will go on, to be asked again after every event. */
  startSession(start: RequestSession = { items: [] }): LiveSession {
    return new LiveSession((request, memory) => {
      const kept = this.remembersSessions ? memory : undefined;
      return this.#answer([this.#read(request)], kept)[0];
    }, start);
  }

  /**
   * The k items most like each of the given ones, by the cosine of their output vectors; never the item itself. The score is
   * the cosine.
   *
   * @throws RequestError when an item is unknown, or the model counts and so has no vectors
   */
  similarItems({ items, k = 10 }: { items: readonly (string | number)[]; k?: number }): RecommendedItem[][] {
    assertListLength(k);
    const ids = items.map((item) => this.#idOf(item));
    return this.#similar.find(ids, Math.min(k, this.numItems)).map((list) => this.#named(list));
  }

  /**
   * Which items of a session drove a recommendation: for each, the score of `item` with the whole session less that without
   * this event. Unknown items drove nothing: 0.
   *
   * @throws RequestError when `item` is unknown
   */
  explain({ session, item }: { session: RequestSession; item: string | number }): ItemEffect[] {
    const candidates = Int32Array.of(this.#idOf(item));
    return explainItem(session, {
      isKnown: (other) => this.isKnown(other),
      scoresOf: (sessions) => {
        const lists = this.#rank(this.#encoder.visible(sessions), { k: 1, candidates });
        return lists.map(([{ score }]) => score);
      },
    });
  }

  /**
   * Takes in items that the model was not trained with: they can be recommended from now on, and no score of another item
   * changes. See `NewItem` for what tells them from one another.
   *
   * @throws RequestError, before anything is changed, when an item is known already, the model counts, or nothing would tell
   *   an item from others
   */
  addItems(items: readonly NewItem[]): void {
    const numRows = this.#opened.model.numRows;
    addItems(this.#opened, this.#catalogue, this.#encoder, items);
    if (items.length === 0) return;
    this.#similar.forget();
    this.#search?.add(numRows);
  }

  /**
   * Finds items by an index from now on, such as that of `clusterSearch`, and no longer by looking at every one; `undefined`
   * goes back to that. Requests with `candidates` look at each of these as before. An index serves one recommender.
   *
   * @throws RequestError when the model counts and so has no vectors
   */
  useSearch(index: ItemSearch | undefined): void {
    this.#search?.dispose();
    this.#search = undefined;
    if (index) this.#search = runSteps(this.#searchedItems(index));
  }

  *#searchedItems(index: ItemSearch): Steps<SearchedItems> {
    const { model } = this.#opened;
    if (model.kind === 'neural') return yield* SearchedItems.build(model, index);
    throw new RequestError(`${model.name}: a model that counts has no item vectors, and looks at every item`);
  }

  /**
   * The share of the k best items that the index finds, over the sessions: 1 without one.
   *
   * @throws RequestError as `recommend` does
   */
  measureRecall(sessions: readonly RequestSession[], k = 10): number {
    const visible = this.#encoder.visible(sessions);
    const length = Math.min(k, this.numItems);
    const exact = this.#rank(visible, { k: length });
    const found = this.#rank(visible, { k: length, search: this.#search });
    let hits = 0;
    exact.forEach((list, s) => {
      const ids = new Set(found[s].map(({ id }) => id));
      for (const { id } of list) if (ids.has(id)) hits++;
    });
    return hits / (exact.length * length);
  }

  dispose(): void {
    this.#similar.forget();
    this.#search?.dispose();
    this.#opened.model.dispose();
  }

  /** @throws RequestError when the model looks at times and the sessions have none */
  #rank(visible: EncodedSessions, options: RankOptions): RankedList[] {
    try {
      return rankItems(this.#opened, visible, options);
    } catch (error) {
      throw error instanceof MissingTimesError ? new RequestError(error.message) : error;
    }
  }

  /** @throws RequestError */
  #read(request: RecommendRequest): Asked {
    const { k = 10, onUnsupported = 'warn', sessions: given = [], users = [] } = request;
    assertListLength(k);
    const histories = users.map((user) => this.#histories.get(user));
    const sessions = [...given, ...histories.map((history) => history ?? { items: [] })];
    const unknown = sessions.map(({ items }) => items.map(String).filter((item) => !this.isKnown(item)));
    const warnings = sessions.map(({ items }, s) => {
      if (items.length > unknown[s].length) return undefined;
      const user = s - given.length;
      const who = user < 0 ? `session ${s}` : `user '${users[user]}'`;
      if (user >= 0 && !histories[user]) return `${who} is not known`;
      return items.length === 0
        ? `${who} has no items`
        : `${who} has no item that the model knows (${unknown[s].slice(0, 3)})`;
    });
    const refused = onUnsupported === 'error' && warnings.find((warning) => warning !== undefined);
    if (refused) throw new RequestError(refused);
    return { request, sessions, unknown, warnings };
  }

  /** @throws RequestError */
  #answer(asked: readonly Asked[], memory?: SessionMemory): Recommendation[][] {
    const rows = asked.flatMap((one) => one.sessions.map((session, s) => ({ one, session, s })));
    const toRank = rows.filter(({ one, s }) => !one.warnings[s] || one.request.onUnsupported !== 'skip');
    const lists = new Map<(typeof rows)[number], RankedList>();
    const banned = new Map(asked.map((one) => [one, this.#catalogue.knownIds(one.request.exclude ?? [])]));
    // One pass for those that may be recommended the same items, and that have times or not; nothing goes with either.
    const someHaveTimes = toRank.some(({ session }) => session.timestampsMs);
    const groups = new Map<string, typeof rows>();
    const candidatesOf = new Map(asked.map((one) => [one, JSON.stringify(one.request.candidates ?? null)]));
    for (const row of toRank) {
      const hasTimes = row.session.items.length === 0 ? someHaveTimes : row.session.timestampsMs !== undefined;
      const key = `${hasTimes} ${candidatesOf.get(row.one)}`;
      const group = groups.get(key);
      if (group) group.push(row);
      else groups.set(key, [row]);
    }
    for (const group of groups.values()) {
      const { candidates: only } = group[0].one.request;
      const candidates = only && this.#catalogue.knownIds(only);
      const longest = Math.max(...group.map(({ one }) => one.request.k ?? 10));
      const k = Math.min(longest, candidates?.length ?? this.numItems);
      if (k === 0) continue;
      const visible = this.#encoder.visible(group.map(({ session }) => session));
      const filters = group.some(({ one }) => one.request.filterSeen || one.request.exclude?.length);
      const hiddenOf = (s: number) => {
        const { one } = group[s];
        const seen = one.request.filterSeen ? visible.itemIds.subarray(visible.offsets[s], visible.offsets[s + 1]) : [];
        return [...(banned.get(one) ?? []), ...seen];
      };
      const search = this.#search;
      const ranked = this.#rank(visible, { k, candidates, ...(filters && { hiddenOf }), memory, search });
      for (const [i, row] of group.entries()) lists.set(row, ranked[i]);
    }
    const answers = new Map(rows.map((row) => [row, this.#recommendation(row.one, row.s, lists.get(row) ?? [])]));
    return asked.map((one) => rows.filter((row) => row.one === one).map((row) => answers.get(row) as Recommendation));
  }

  #recommendation({ request, unknown, warnings }: Asked, s: number, list: RankedList): Recommendation {
    const { k = 10, withScores } = request;
    const items = this.#named(list.slice(0, k));
    return {
      items: withScores ? items : items.map(({ score: _, ...item }) => item),
      unknownItems: unknown[s],
      ...(warnings[s] && { warning: warnings[s] }),
    };
  }

  #named(list: RankedList): RecommendedItem[] {
    return list.map(({ id, score }) => {
      const item = this.#catalogue.rawIdOf(id);
      const title = this.#catalogue.titles.get(item);
      return { item, ...(title !== undefined && { title }), score };
    });
  }

  #idOf(item: string | number): number {
    const id = this.#catalogue.idOf(item);
    if (id === undefined) throw new RequestError(`item '${item}' is not known to the model`);
    return id;
  }
}

/** What `ask` gives, or the RequestError that it throws. */
function caught<T>(ask: () => T): T | RequestError {
  try {
    return ask();
  } catch (error) {
    if (error instanceof RequestError) return error;
    throw error;
  }
}
