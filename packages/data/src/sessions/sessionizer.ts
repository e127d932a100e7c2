/**
 * Events of many keys as columns, ordered by key, then time. A key is a session id or a user id, encoded as a number.
 * Only the first `length` entries count.
 */
export interface EventChunk {
  readonly length: number;
  /** Rising over all chunks: the events of a key lie together. */
  readonly keys: Int32Array;
  /** Milliseconds since 1970 UTC, never falling within a key. */
  readonly timestampsMs: Float64Array;
  readonly itemCodes: Int32Array;
  /** Further columns that go along with the events. */
  readonly columns?: readonly Float64Array[];
  /** Start of the session where the log states it; otherwise a session starts with its first event. */
  readonly startsMs?: Float64Array;
}

export interface SessionizerOptions {
  /** `session`: a key is a session. `user`: a session of a user ends after a pause longer than `gapMinutes`. */
  readonly by: 'session' | 'user';
  /** Default 30. A pause of exactly this length stays within the session; `none`: no pause ends one. */
  readonly gapMinutes?: number | 'none';
  /** Shorter sessions are left out (counted after repeats are dropped). Default 2. */
  readonly minLength?: number;
  /** Longer sessions keep their newest events; the start stays that of the whole session. */
  readonly maxLength?: number;
  /** The same item twice in a row counts once, at its first time. Default false. */
  readonly dropConsecutiveRepeats?: boolean;
}

/** A finished session. The arrays are views that are overwritten by the next one: copy what you keep. */
export interface EmittedSession {
  readonly key: number;
  readonly startMs: number;
  /** Events of the whole session, before `maxLength` cut it. */
  readonly fullLength: number;
  /** The newest events, oldest first. */
  readonly itemCodes: Int32Array;
  readonly timestampsMs: Float64Array;
  /** The further columns of the same events. */
  readonly columns: readonly Float64Array[];
}

/** What happened to the events. */
export interface SessionizerCounts {
  numEvents: number;
  /** All sessions, before the length filter. */
  numSessions: number;
  numKeptSessions: number;
  numKeptEvents: number;
  /** Events dropped because they repeat the item before. */
  numRepeatedEvents: number;
  /** Sessions shorter than `minLength`. */
  numShortSessions: number;
  /** Events cut off by `maxLength`. */
  numTruncatedEvents: number;
}

/**
 * The state machine that decides what a session is. It sees every event once and holds one session at a time.
 * Events with equal times keep the order in which they come.
 *
 * @example
 * const sessionizer = new Sessionizer({ by: 'user', gapMinutes: 30 }, (session) => save(session));
 * for (const chunk of chunks) sessionizer.push(chunk);
 * const counts = sessionizer.finish();
 */
export class Sessionizer {
  readonly counts: SessionizerCounts = {
    numEvents: 0,
    numSessions: 0,
    numKeptSessions: 0,
    numKeptEvents: 0,
    numRepeatedEvents: 0,
    numShortSessions: 0,
    numTruncatedEvents: 0,
  };
  readonly #emit: (session: EmittedSession) => void;
  readonly #gapMs: number;
  readonly #minLength: number;
  readonly #maxLength: number;
  readonly #dropRepeats: boolean;
  #items = new Int32Array(256);
  #times = new Float64Array(256);
  #columns: Float64Array[] = [];
  #length = 0;
  #key = -1;
  #startMs = 0;
  #lastMs = 0;

  /** @throws when an option is out of range */
  constructor(options: SessionizerOptions, emit: (session: EmittedSession) => void) {
    const { by, minLength = 2, maxLength = Number.POSITIVE_INFINITY } = options;
    const gapMinutes = options.gapMinutes === 'none' ? Number.POSITIVE_INFINITY : (options.gapMinutes ?? 30);
    if (!(gapMinutes > 0)) throw new Error(`Sessionizer: gapMinutes must be positive, got ${gapMinutes}`);
    if (!(minLength >= 1)) throw new Error(`Sessionizer: minLength must be at least 1, got ${minLength}`);
    if (!(maxLength >= minLength)) {
      throw new Error(
        `Sessionizer: maxLength is ${maxLength} but minLength is ${minLength}; no session could have both`,
      );
    }
    this.#emit = emit;
    this.#gapMs = by === 'user' ? gapMinutes * 60_000 : Number.POSITIVE_INFINITY;
    this.#minLength = minLength;
    this.#maxLength = maxLength;
    this.#dropRepeats = options.dropConsecutiveRepeats ?? false;
  }

  /** @throws when a time is not finite, time falls within a key, or a key comes back after another one */
  push(chunk: EventChunk): void {
    const { keys, timestampsMs, itemCodes, startsMs, columns = [], length } = chunk;
    while (this.#columns.length < columns.length) this.#columns.push(new Float64Array(this.#items.length));
    for (let i = 0; i < length; i++) {
      const key = keys[i];
      const timeMs = timestampsMs[i];
      if (!Number.isFinite(timeMs)) throw this.#error(i, `time is ${timeMs}; drop events without a time first`);
      if (key !== this.#key) {
        if (key < this.#key) throw this.#error(i, `key ${key} comes after key ${this.#key}; order the events by key`);
        this.#close();
        this.#open(key, startsMs ? startsMs[i] : timeMs);
      } else {
        if (timeMs < this.#lastMs) {
          throw this.#error(
            i,
            `time falls from ${this.#lastMs} to ${timeMs} within key ${key}; order the events by time`,
          );
        }
        if (timeMs - this.#lastMs > this.#gapMs) {
          this.#close();
          this.#open(key, timeMs);
        }
      }
      this.#lastMs = timeMs;
      if (this.#append(itemCodes[i], timeMs)) {
        for (let c = 0; c < columns.length; c++) this.#columns[c][this.#length - 1] = columns[c][i];
      }
    }
    this.counts.numEvents += length;
  }

  /** Key of the session that has not ended yet, -1 before the first event. */
  get openKey(): number {
    return this.#key;
  }

  /** Hands out the last session. */
  finish(): SessionizerCounts {
    this.#close();
    this.#length = 0;
    return this.counts;
  }

  #open(key: number, startMs: number): void {
    this.#key = key;
    this.#startMs = startMs;
    this.#length = 0;
  }

  /** @returns false for a repeat that is dropped */
  #append(itemCode: number, timeMs: number): boolean {
    if (this.#dropRepeats && this.#length > 0 && this.#items[this.#length - 1] === itemCode) {
      this.counts.numRepeatedEvents++;
      return false;
    }
    if (this.#length === this.#items.length) {
      const items = new Int32Array(this.#length * 2);
      const times = new Float64Array(this.#length * 2);
      items.set(this.#items);
      times.set(this.#times);
      this.#items = items;
      this.#times = times;
      this.#columns = this.#columns.map((column) => {
        const larger = new Float64Array(times.length);
        larger.set(column);
        return larger;
      });
    }
    this.#items[this.#length] = itemCode;
    this.#times[this.#length++] = timeMs;
    return true;
  }

  #close(): void {
    const length = this.#length;
    if (length === 0) return;
    this.counts.numSessions++;
    if (length < this.#minLength) {
      this.counts.numShortSessions++;
      return;
    }
    const from = Math.max(0, length - this.#maxLength);
    this.counts.numKeptSessions++;
    this.counts.numKeptEvents += length - from;
    this.counts.numTruncatedEvents += from;
    this.#emit({
      key: this.#key,
      startMs: this.#startMs,
      fullLength: length,
      itemCodes: this.#items.subarray(from, length),
      timestampsMs: this.#times.subarray(from, length),
      columns: this.#columns.map((column) => column.subarray(from, length)),
    });
  }

  #error(index: number, what: string): Error {
    return new Error(`Sessionizer: event ${this.counts.numEvents + index}: ${what}`);
  }
}
