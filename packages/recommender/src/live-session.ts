import { SessionMemory } from '@nimue/models';
import {
  type Cell,
  type ListOptions,
  type Recommendation,
  type RecommendRequest,
  RequestError,
  type RequestSession,
} from './request.ts';

/** One more event of a session. */
export interface SessionEvent {
  readonly item: string | number;
  readonly timestampMs?: number;
  /** Columns that features read. */
  readonly columns?: Readonly<Record<string, Cell>>;
}

/**
 * A session that goes on: asked again after every click, it gives the answers of `Recommender.recommend`. Models that
 * `remembersSessions` (the recurrent ones and those with causal attention) compute the new events only; a session longer than the
 * model sees (`maxLength`) is computed again, since every position of it is another one then.
 *
 * @example
 * const live = recommender.startSession({ items: ['a'] });
 * live.add({ item: 'b' });
 * live.recommend({ k: 2 }).items; // as recommend({ sessions: [{ items: ['a', 'b'] }], k: 2 })
 */
export class LiveSession {
  readonly #ask: (request: RecommendRequest, memory: SessionMemory) => Recommendation[];
  readonly #memory = new SessionMemory();
  readonly #items: (string | number)[] = [];
  readonly #timestampsMs: number[] = [];
  readonly #columns: Record<string, Cell[]> = {};
  readonly #context: RequestSession['context'];

  constructor(ask: (request: RecommendRequest, memory: SessionMemory) => Recommendation[], start: RequestSession) {
    this.#ask = ask;
    this.#context = start.context;
    start.items.forEach((item, i) => {
      const cells = Object.entries(start.columns ?? {}).map(([name, values]) => [name, values[i] ?? null]);
      this.add({ item, timestampMs: start.timestampsMs?.[i], columns: Object.fromEntries(cells) });
    });
  }

  /** Events so far. */
  get length(): number {
    return this.#items.length;
  }

  /** Events whose states the model keeps. */
  get numRemembered(): number {
    return this.#memory.numSeen;
  }

  /** @throws RequestError when it has a time and the events before have none, or the other way about, or its time is earlier */
  add({ item, timestampMs, columns = {} }: SessionEvent): void {
    const before = this.#items.length;
    if (before > 0 && (timestampMs !== undefined) !== this.#timestampsMs.length > 0) {
      throw new RequestError(`event ${before}: give every event of the session a time, or none`);
    }
    const last = this.#timestampsMs[before - 1];
    if (timestampMs !== undefined && !(timestampMs >= (last ?? Number.NEGATIVE_INFINITY))) {
      throw new RequestError(
        `event ${before}: its time ${timestampMs} is earlier than that of the event before, ${last}`,
      );
    }
    this.#items.push(item);
    if (timestampMs !== undefined) this.#timestampsMs.push(timestampMs);
    for (const name of new Set([...Object.keys(this.#columns), ...Object.keys(columns)])) {
      this.#columns[name] ??= new Array<Cell>(before).fill(null);
      this.#columns[name].push(columns[name] ?? null);
    }
  }

  /** @throws RequestError as `Recommender.recommend` does */
  recommend(options: ListOptions = {}): Recommendation {
    return this.#ask({ ...options, sessions: [this.#session()] }, this.#memory)[0];
  }

  #session(): RequestSession {
    return {
      items: this.#items,
      ...(this.#timestampsMs.length > 0 && { timestampsMs: this.#timestampsMs }),
      ...(Object.keys(this.#columns).length > 0 && { columns: this.#columns }),
      ...(this.#context && { context: this.#context }),
    };
  }
}
