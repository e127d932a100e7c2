import { hashText, mix32 } from '../random/random.ts';
import type { WindowSessions } from './window-spool.ts';

export interface SessionSampleOptions {
  /** So many sessions at most. */
  readonly numSessions: number;
  /** Another seed draws others. */
  readonly seed: number;
}

/**
 * Draws so many sessions, every one as likely as any other: those with the smallest hash of id, start and seed. Which they are
 * depends on nothing else, neither the order of the log nor its columns. Memory is that of twice the sample.
 */
export class SessionSample {
  readonly #options: SessionSampleOptions;
  #hashes: Float64Array;
  #length = 0;
  /** The largest hash that is in, as far as it is known. */
  #limit = Number.POSITIVE_INFINITY;

  constructor(options: SessionSampleOptions) {
    this.#options = options;
    this.#hashes = new Float64Array(2 * options.numSessions);
  }

  add(id: string, startMs: number): void {
    const hash = this.#hashOf(id, startMs);
    if (hash > this.#limit) return;
    if (this.#length === this.#hashes.length) this.#shrink();
    this.#hashes[this.#length++] = hash;
  }

  /** Whether a session that was added is drawn, when all have been. */
  has(id: string, startMs: number): boolean {
    this.#shrink();
    return this.#hashOf(id, startMs) <= this.#limit;
  }

  #shrink(): void {
    const { numSessions } = this.#options;
    if (this.#length <= numSessions) return;
    this.#hashes.subarray(0, this.#length).sort();
    this.#length = numSessions;
    this.#limit = this.#hashes[numSessions - 1];
  }

  /** Fifty-three bits: two sessions of a log do not meet. */
  #hashOf(id: string, startMs: number): number {
    const { seed } = this.#options;
    const start = mix32(startMs | 0) ^ mix32(Math.floor(startMs / 0x100000000) + 1);
    const high = mix32(hashText(id, seed) ^ start);
    const low = mix32(hashText(id, ~seed) ^ mix32(start));
    return high * 2 ** 21 + (low >>> 11);
  }
}

/** The sessions of a window that fit, and their events. */
export function keepSessions(
  sessions: WindowSessions,
  isKept: (id: string, startMs: number) => boolean,
): WindowSessions {
  const { ids, startsMs, offsets, columns } = sessions;
  const kept = Int32Array.from(ids.keys()).filter((s) => isKept(ids[s], startsMs[s]));
  const keptOffsets = new Int32Array(kept.length + 1);
  kept.forEach((s, k) => {
    keptOffsets[k + 1] = keptOffsets[k] + offsets[s + 1] - offsets[s];
  });
  const take = <T extends Int32Array | Float64Array>(values: T, taken: T): T => {
    kept.forEach((s, k) => {
      taken.set(values.subarray(offsets[s], offsets[s + 1]), keptOffsets[k]);
    });
    return taken;
  };
  const numEvents = keptOffsets[kept.length];
  return {
    ids: Array.from(kept, (s) => ids[s]),
    startsMs: Float64Array.from(kept, (s) => startsMs[s]),
    isValid: Uint8Array.from(kept, (s) => sessions.isValid[s]),
    fullLengths: Int32Array.from(kept, (s) => sessions.fullLengths[s]),
    offsets: keptOffsets,
    itemCodes: take(sessions.itemCodes, new Int32Array(numEvents)),
    timestampsMs: take(sessions.timestampsMs, new Float64Array(numEvents)),
    columns: columns.map((column) => take(column, new Float64Array(numEvents))),
  };
}
