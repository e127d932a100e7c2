import { copyValues } from '../dataset/copy-values.ts';
import { compareText } from '../dataset/dataset-from-sessions.ts';
import { SpillFile } from '../read/spill-file.ts';

/** A session on its way to its window. */
export interface SpooledSession {
  readonly id: string;
  readonly startMs: number;
  /** On which side of the valid/test division it lies. */
  readonly isValid: boolean;
  /** Events before `maxLength` cut it. */
  readonly fullLength: number;
  readonly itemCodes: Int32Array;
  readonly timestampsMs: Float64Array;
  /** Further columns of the events; as many for every session. */
  readonly columns: readonly Float64Array[];
}

/** The sessions of one window as columns [S], their events [T], ordered by start, then id. */
export interface WindowSessions {
  readonly ids: readonly string[];
  readonly startsMs: Float64Array;
  readonly isValid: Uint8Array;
  readonly fullLengths: Int32Array;
  /** Where each session starts [S + 1]. */
  readonly offsets: Int32Array;
  readonly itemCodes: Int32Array;
  readonly timestampsMs: Float64Array;
  readonly columns: readonly Float64Array[];
}

/** A spool that has taken in its sessions, for another thread: plain values. */
export interface SharedSpool {
  readonly file: string;
  readonly numColumns: number;
  readonly windows: readonly WindowBuffer['written'][];
}

const HEADER_WORDS = 3;

/** Bytes that can be looked at as 64-bit and 32-bit numbers. */
export class Words {
  readonly bytes: Buffer;
  readonly doubles: Float64Array;
  readonly ints: Int32Array;

  constructor(numWords: number) {
    const memory = new ArrayBuffer(numWords * 8);
    this.bytes = Buffer.from(memory);
    this.doubles = new Float64Array(memory);
    this.ints = new Int32Array(memory);
  }
}

const NO_WORDS = new Words(0);

/** A window on its way: what waits in memory, and where the rest lies in the file. */
interface WindowBuffer {
  words: Words;
  used: number;
  written: readonly { readonly at: number; readonly numBytes: number }[];
}

/**
 * Collects sessions by window. They come ordered by user or session, so all windows fill at once: each has a buffer in
 * memory, and what is in the buffers goes to a file when together it passes a limit. Close it.
 *
 * A record begins at a multiple of 8 bytes: startMs f64, numEvents i32, fullLength i32, idBytes i32, isValid i32,
 * timestampsMs f64[], every further column f64[], itemCodes i32[], id utf-8; the last two fill their last 8 bytes up.
 */
export class WindowSpool {
  #file: SpillFile;
  readonly #limitWords: number;
  readonly #numColumns: number;
  readonly #buffers: WindowBuffer[];
  #usedWords = 0;
  #heldWords = 0;

  /** @param limitBytes of sessions that wait in memory; default 32 MB */
  constructor(file: string, numWindows: number, numColumns = 0, limitBytes = 32 * 2 ** 20) {
    this.#file = new SpillFile(file);
    this.#numColumns = numColumns;
    this.#limitWords = limitBytes / 8;
    this.#buffers = Array.from({ length: numWindows }, () => ({ words: NO_WORDS, used: 0, written: [] }));
  }

  /** @throws when the file cannot be written */
  add(window: number, session: SpooledSession): void {
    const { id, itemCodes, timestampsMs, columns } = session;
    const buffer = this.#buffers[window];
    const numEvents = itemCodes.length;
    const idBytes = Buffer.byteLength(id);
    const end =
      buffer.used + HEADER_WORDS + (1 + this.#numColumns) * numEvents + half(numEvents) + Math.ceil(idBytes / 8);
    if (end > buffer.words.doubles.length) {
      const larger = new Words(Math.max(512, 2 * end));
      larger.doubles.set(buffer.words.doubles.subarray(0, buffer.used));
      this.#heldWords += larger.doubles.length - buffer.words.doubles.length;
      buffer.words = larger;
    }
    const { doubles, ints, bytes } = buffer.words;
    let at = buffer.used;
    doubles[at] = session.startMs;
    ints[2 * at + 2] = numEvents;
    ints[2 * at + 3] = session.fullLength;
    ints[2 * at + 4] = idBytes;
    ints[2 * at + 5] = session.isValid ? 1 : 0;
    at += HEADER_WORDS;
    copyValues(timestampsMs, 0, numEvents, doubles, at);
    at += numEvents;
    for (const column of columns) {
      copyValues(column, 0, numEvents, doubles, at);
      at += numEvents;
    }
    copyValues(itemCodes, 0, numEvents, ints, 2 * at);
    bytes.write(id, 8 * (at + half(numEvents)));
    this.#usedWords += end - buffer.used;
    buffer.used = end;
    if (this.#usedWords > this.#limitWords) this.#flush();
  }

  /** The sessions of a window; its memory and file are given up. */
  take(window: number): WindowSessions {
    return sessionsOfRecords(this.#wordsOf(window), this.#numColumns);
  }

  /** The same as records, in the order in which they came, for `sessionsOfRecords`. */
  takeRecords(window: number): Uint8Array {
    return this.#wordsOf(window).bytes;
  }

  /** Writes what waits in memory, so that other threads can take windows too; the file stays until `close`. */
  share(): SharedSpool {
    this.#flush();
    return {
      file: this.#file.path,
      numColumns: this.#numColumns,
      windows: this.#buffers.map(({ written }) => written),
    };
  }

  /** Another's sessions. Close it, and then the other. */
  static attach({ file, numColumns, windows }: SharedSpool): WindowSpool {
    const spool = new WindowSpool(file, windows.length, numColumns);
    spool.#file = new SpillFile(file, true);
    windows.forEach((written, window) => {
      spool.#buffers[window] = { words: NO_WORDS, used: 0, written };
    });
    return spool;
  }

  close(): void {
    this.#file.close();
  }

  #wordsOf(window: number): Words {
    const { words, used, written } = this.#buffers[window];
    this.#buffers[window] = { words: NO_WORDS, used: 0, written: [] };
    const numWritten = written.reduce((sum, { numBytes }) => sum + numBytes, 0);
    const all = new Words(numWritten / 8 + used);
    let at = 0;
    for (const part of written) {
      this.#file.read(all.bytes.subarray(at, at + part.numBytes), part.at);
      at += part.numBytes;
    }
    all.doubles.set(words.doubles.subarray(0, used), at / 8);
    return all;
  }

  /** Buffers are kept for the sessions to come, unless they have grown far beyond what is in them at a time. */
  #flush(): void {
    const keep = this.#heldWords <= 3 * this.#limitWords;
    for (const buffer of this.#buffers) {
      if (buffer.used > 0) {
        const at = this.#file.append(buffer.words.bytes.subarray(0, 8 * buffer.used));
        buffer.written = [...buffer.written, { at, numBytes: 8 * buffer.used }];
      }
      buffer.used = 0;
      if (!keep) buffer.words = NO_WORDS;
    }
    this.#usedWords = 0;
    if (!keep) this.#heldWords = 0;
  }
}

/**
 * Sessions by start, then id, whatever the order of their records.
 *
 * @param records of one window, from any number of spools, laid end to end
 */
export function sessionsOfRecords(records: Words, numColumns: number): WindowSessions {
  const { doubles, ints, bytes } = records;
  const starts: number[] = [];
  const ids: string[] = [];
  for (let at = 0; at < doubles.length; ) {
    const [numEvents, idBytes] = [ints[2 * at + 2], ints[2 * at + 4]];
    const idAt = at + HEADER_WORDS + (1 + numColumns) * numEvents + half(numEvents);
    starts.push(at);
    ids.push(bytes.toString('utf8', 8 * idAt, 8 * idAt + idBytes));
    at = idAt + Math.ceil(idBytes / 8);
  }
  const order = Uint32Array.from(starts, (_, s) => s);
  order.sort((a, b) => doubles[starts[a]] - doubles[starts[b]] || compareText(ids[a], ids[b]));

  const offsets = new Int32Array(order.length + 1);
  for (let s = 0; s < order.length; s++) offsets[s + 1] = offsets[s] + ints[2 * starts[order[s]] + 2];
  const numEvents = offsets[order.length];
  const itemCodes = new Int32Array(numEvents);
  const [timestampsMs, ...columns] = Array.from({ length: 1 + numColumns }, () => new Float64Array(numEvents));
  for (let s = 0; s < order.length; s++) {
    const length = offsets[s + 1] - offsets[s];
    let at = starts[order[s]] + HEADER_WORDS;
    copyValues(doubles, at, at + length, timestampsMs, offsets[s]);
    at += length;
    for (const column of columns) {
      copyValues(doubles, at, at + length, column, offsets[s]);
      at += length;
    }
    copyValues(ints, 2 * at, 2 * at + length, itemCodes, offsets[s]);
  }
  return {
    ids: Array.from(order, (s) => ids[s]),
    startsMs: Float64Array.from(order, (s) => doubles[starts[s]]),
    isValid: Uint8Array.from(order, (s) => ints[2 * starts[s] + 5]),
    fullLengths: Int32Array.from(order, (s) => ints[2 * starts[s] + 3]),
    offsets,
    itemCodes,
    timestampsMs,
    columns,
  };
}

/** Words that so many 32-bit numbers fill. */
function half(count: number): number {
  return (count + 1) >> 1;
}
