import type { EventChunk } from '../sessions/sessionizer.ts';
import { type EventRecords, FURTHER, KEY, orderOfRecords, PLACE, TIME } from './sort-records.ts';
import { SpillFile } from './spill-file.ts';

export interface EventSorterOptions {
  /** About how many events will come; more or fewer cost time only. */
  readonly numEvents: number;
  /** The chunks have `orders`, which decide between equal times. */
  readonly hasOrder?: boolean;
  /** The chunks have `startsMs`. */
  readonly hasStarts?: boolean;
  /** Further columns of every chunk. */
  readonly numColumns?: number;
  /** Takes what does not stay in memory; removed by `close`. */
  readonly file: string;
  /** Events that are ordered in memory at once. Default 2^19. */
  readonly maxEvents?: number;
}

/** Events in any order, with the place of each in the log. */
export interface UnorderedChunk extends Pick<EventChunk, 'length' | 'itemCodes' | 'columns' | 'startsMs'> {
  /** 64-bit hashes of the keys, the lower half of each first [2 · length]; different keys have different ones. */
  readonly keyHashes: Int32Array;
  /** Milliseconds since 1970 UTC. */
  readonly timestampsMs: Float64Array;
  /** Any numbers that rise with the log. */
  readonly places: Float64Array;
  readonly orders?: Float64Array;
}

/** Events of some keys: those that wait in memory, and where the others lie in the file. */
interface Part {
  readonly records: Float64Array;
  readonly ints: Int32Array;
  /** Events in `records`. */
  used: number;
  /** Where what has been written lies: `#file`, or that of the thread which took the events in. */
  readonly file: SpillFile;
  /** First byte and number of events of what has been written. */
  readonly written: { readonly at: number; readonly length: number }[];
  total: number;
}

/** A sorter that has taken in its events, for another thread: plain values. */
export interface SharedSorter {
  readonly options: Omit<EventSorterOptions, 'file'>;
  readonly file: string;
  readonly parts: readonly Pick<Part, 'written' | 'total'>[];
}

const BUFFER_EVENTS = 8192;
const MAX_PART_BITS = 8;
const MAX_PARTS = 2 ** MAX_PART_BITS;

/**
 * Orders a log by the hash of its keys, time, order column and place, in memory of a fixed size: events are dealt out to parts by
 * hash, parts go to a file as they fill, and each is ordered by itself when its turn comes. A part that is still too large
 * is dealt out again, by hash, or by time where it is one key's. The keys of what comes out are 0, 1, 2 … in the order of
 * their hashes.
 *
 * @example
 * const sorter = new EventSorter({ numEvents: 3, file });
 * for await (const chunk of chunks) sorter.push(chunk);
 * for (const chunk of sorter.ordered()) sessionizer.push(chunk);
 * sorter.close();
 */
export class EventSorter {
  readonly #options: EventSorterOptions;
  readonly #width: number;
  readonly #maxEvents: number;
  #parts: Part[];
  /** The first bits of a hash are the number of its part. */
  readonly #partBits: number;
  #lastKey = -1;
  #lastLow = 0;
  #lastHigh = 0;
  readonly #file: SpillFile;
  #attached: SpillFile | undefined;

  constructor(options: EventSorterOptions) {
    const { numEvents, hasOrder, hasStarts, numColumns = 0, maxEvents = 2 ** 19 } = options;
    this.#options = options;
    this.#file = new SpillFile(options.file);
    this.#maxEvents = maxEvents;
    this.#width = FURTHER + (hasOrder ? 1 : 0) + (hasStarts ? 1 : 0) + numColumns + 1;
    const partBits = Math.ceil(Math.log2((2 * numEvents) / maxEvents));
    this.#partBits = Math.max(0, Math.min(MAX_PART_BITS, partBits));
    this.#parts = this.#newParts(2 ** this.#partBits);
  }

  /** @throws when the file cannot be written */
  push(chunk: UnorderedChunk): void {
    const { keyHashes, itemCodes, timestampsMs, places, length } = chunk;
    const width = this.#width;
    const further = [
      ...(this.#options.hasOrder ? [chunk.orders] : []),
      ...(this.#options.hasStarts ? [chunk.startsMs] : []),
      ...(chunk.columns ?? []),
    ] as Float64Array[];
    const parts = this.#parts;
    const shift = 31 - this.#partBits;
    for (let e = 0; e < length; e++) {
      const high = keyHashes[2 * e + 1];
      const part = parts[(high >>> 1) >>> shift];
      const { ints, records } = part;
      const at = part.used * width;
      ints[2 * (at + KEY)] = keyHashes[2 * e];
      ints[2 * (at + KEY) + 1] = high;
      records[at + TIME] = timestampsMs[e];
      records[at + PLACE] = places[e];
      for (let f = 0; f < further.length; f++) records[at + FURTHER + f] = further[f][e];
      ints[2 * (at + width - 1)] = itemCodes[e];
      if (++part.used === BUFFER_EVENTS) this.#write(part);
    }
  }

  /** All events that were pushed, ordered, once. */
  *ordered(): Generator<EventChunk> {
    // Taken out one by one, so that the memory of those that are done can go.
    for (let part = this.#parts.shift(); part; part = this.#parts.shift()) yield* this.#orderedPart(part);
  }

  /** Writes what waits in memory and gives the events away; the file stays until `close`. Nothing is left to be ordered here. */
  share(): SharedSorter {
    for (const part of this.#parts) if (part.used > 0) this.#write(part);
    const parts = this.#parts.map(({ written, total }) => ({ written, total }));
    this.#parts = [];
    const { file: _, ...options } = this.#options;
    return { options, file: this.#file.path, parts };
  }

  /** A sorter with another's events. Close it, and then the other. @param file takes what has to be dealt out again */
  static attach({ options, file, parts }: SharedSorter, ownFile: string): EventSorter {
    const sorter = new EventSorter({ ...options, numEvents: 0, file: ownFile });
    const theirs = new SpillFile(file, true);
    const records = new Float64Array(0);
    sorter.#attached = theirs;
    sorter.#parts = parts.map(({ written, total }) => {
      return { records, ints: new Int32Array(records.buffer), used: 0, file: theirs, written: [...written], total };
    });
    return sorter;
  }

  /** Gives up memory and file. */
  close(): void {
    this.#file.close();
    this.#attached?.close();
  }

  *#orderedPart(part: Part): Generator<EventChunk> {
    if (part.total + part.used === 0) return;
    if (part.total + part.used > this.#maxEvents) {
      const finer = this.#dealOutAgain(part);
      if (finer) {
        for (const one of finer) yield* this.#orderedPart(one);
        return;
      }
    }
    yield this.#chunkOf(this.#load(part));
  }

  /** Parts whose events follow one another; nothing when the events cannot be told apart by key or time. */
  #dealOutAgain(part: Part): Part[] | undefined {
    const width = this.#width;
    let [lowHash, highHash] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    let [lowTime, highTime] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const blocks = () => this.#blocks(part);
    const hashOf = ({ ints }: EventRecords, e: number) => ints[2 * (e * width + KEY) + 1] >>> 0;
    for (const block of blocks()) {
      for (let e = 0; e < block.length; e++) {
        const hash = hashOf(block, e);
        const time = block.doubles[e * width + TIME];
        if (hash < lowHash) lowHash = hash;
        if (hash > highHash) highHash = hash;
        if (time < lowTime) lowTime = time;
        if (time > highTime) highTime = time;
      }
    }
    const byHash = highHash > lowHash;
    // Upper halves of hashes are the same: one key, but for a chance of 1 in 2^32, in which all is ordered at once.
    if (!byHash && this.#hasSeveralKeys(part)) return undefined;
    const [low, high] = byHash ? [lowHash, highHash] : [lowTime, highTime];
    if (!(high > low)) return undefined;
    const numParts = Math.min(MAX_PARTS, Math.ceil((2 * (part.total + part.used)) / this.#maxEvents) + 1);
    const parts = this.#newParts(numParts);
    const perPart = (high - low) / numParts;
    for (const block of blocks()) {
      for (let e = 0; e < block.length; e++) {
        const value = byHash ? hashOf(block, e) : block.doubles[e * width + TIME];
        const finer = parts[Math.min(numParts - 1, Math.floor((value - low) / perPart))];
        finer.records.set(block.doubles.subarray(e * width, (e + 1) * width), finer.used * width);
        if (++finer.used === BUFFER_EVENTS) this.#write(finer);
      }
    }
    return parts;
  }

  #hasSeveralKeys(part: Part): boolean {
    let first: number | undefined;
    for (const { ints, length } of this.#blocks(part)) {
      for (let e = 0; e < length; e++) {
        first ??= ints[2 * (e * this.#width + KEY)];
        if (ints[2 * (e * this.#width + KEY)] !== first) return true;
      }
    }
    return false;
  }

  /** The events of a part, a few at a time. */
  *#blocks(part: Part): Generator<EventRecords> {
    const width = this.#width;
    for (const { at, length } of part.written) {
      const doubles = new Float64Array(length * width);
      part.file.read(bytesOf(doubles), at);
      yield { doubles, ints: new Int32Array(doubles.buffer), width, length };
    }
    yield { doubles: part.records, ints: part.ints, width, length: part.used };
  }

  #load(part: Part): EventRecords {
    const width = this.#width;
    if (part.total === 0) return { doubles: part.records, ints: part.ints, width, length: part.used };
    const doubles = new Float64Array((part.total + part.used) * width);
    let at = 0;
    for (const block of part.written) {
      part.file.read(bytesOf(doubles.subarray(at, at + block.length * width)), block.at);
      at += block.length * width;
    }
    doubles.set(part.records.subarray(0, part.used * width), at);
    return { doubles, ints: new Int32Array(doubles.buffer), width, length: part.total + part.used };
  }

  #chunkOf(records: EventRecords): EventChunk {
    const { hasOrder, hasStarts, numColumns = 0 } = this.#options;
    const { doubles, ints, width, length } = records;
    const { order, times, itemCodes, ends } = orderOfRecords(records, hasOrder ? FURTHER : undefined);
    const wordsOf = (word: number) => {
      const words = new Float64Array(length);
      for (let i = 0; i < length; i++) words[i] = doubles[order[i] * width + word];
      return words;
    };
    const firstFurther = FURTHER + (hasOrder ? 1 : 0);
    const firstColumn = firstFurther + (hasStarts ? 1 : 0);
    const keys = new Int32Array(length);
    let from = 0;
    for (const to of ends) {
      const at = 2 * (order[from] * width + KEY);
      const low = ints[at];
      const high = ints[at + 1];
      // A key that was dealt out by time goes on from chunk to chunk.
      if (low !== this.#lastLow || high !== this.#lastHigh || this.#lastKey < 0) {
        this.#lastKey++;
        this.#lastLow = low;
        this.#lastHigh = high;
      }
      keys.fill(this.#lastKey, from, to);
      from = to;
    }
    return {
      length,
      keys,
      timestampsMs: times,
      itemCodes,
      ...(hasStarts && { startsMs: wordsOf(firstFurther) }),
      ...(numColumns > 0 && { columns: Array.from({ length: numColumns }, (_, c) => wordsOf(firstColumn + c)) }),
    };
  }

  #newParts(numParts: number): Part[] {
    return Array.from({ length: numParts }, () => {
      const records = new Float64Array(BUFFER_EVENTS * this.#width);
      return { records, ints: new Int32Array(records.buffer), used: 0, file: this.#file, written: [], total: 0 };
    });
  }

  #write(part: Part): void {
    const bytes = new Uint8Array(part.records.buffer, 0, 8 * part.used * this.#width);
    part.written.push({ at: this.#file.append(bytes), length: part.used });
    part.total += part.used;
    part.used = 0;
  }
}

function bytesOf(words: Float64Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}
