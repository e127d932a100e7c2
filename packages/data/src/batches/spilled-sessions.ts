import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NO_TARGETS, type SessionBatch } from '@nimue/batch';
import type { EncodedSessions } from './encode-sessions.ts';

/** A column of the file: its bytes per event, and an array to read it into. */
interface Column {
  readonly bytes: 4 | 8;
  create(length: number): Int32Array | Float32Array | Float64Array;
}

const COLUMNS = {
  int32: { bytes: 4, create: (length) => new Int32Array(length) },
  float32: { bytes: 4, create: (length) => new Float32Array(length) },
  float64: { bytes: 8, create: (length) => new Float64Array(length) },
} as const satisfies Readonly<Record<string, Column>>;

type ColumnType = keyof typeof COLUMNS;

/** The file and what is known of it, for another thread; the arrays lie in shared memory. */
export interface SharedSpilledSessions {
  readonly file: string;
  readonly columns: readonly (readonly [name: string, type: ColumnType])[];
  readonly offsets: Int32Array;
  readonly keys?: Int32Array;
}

/**
 * Encoded sessions in a temporary file: only where each session starts stays in memory (8 bytes per session), so that
 * more events can be shuffled by seed than memory holds. `packBatches` cuts exactly the same batches from them as from
 * sessions in memory. Dispose it.
 *
 * @example
 * const spilled = new SpilledSessions();
 * for (const window of windows) spilled.add(encodeSessions(await dataset.read(window, 'train'), vocabulary, options));
 * for (const batch of packBatches(spilled, { batchSize: 128, seed: 1 })) ...
 * spilled.dispose();
 */
export class SpilledSessions {
  /** Undefined where another thread owns the file. */
  readonly #directory: string | undefined;
  readonly #path: string;
  readonly #file: number;
  #keys: number[] = [];
  #offsets: Int32Array = new Int32Array(1024);
  #numSessions = 0;
  #hasKeys = true;
  /** Name → column, in the order of a session's record; set by the first part. */
  #columns: Map<string, Column> | undefined;
  #bytesPerEvent = 0;
  #record = new Uint8Array(0);

  /** @param directory holds the temporary folder; default: the system's */
  constructor(directory = tmpdir(), attached?: string) {
    this.#directory = attached === undefined ? mkdtempSync(join(directory, 'nimue-sessions-')) : undefined;
    this.#path = attached ?? join(this.#directory ?? '', 'sessions');
    this.#file = openSync(this.#path, attached === undefined ? 'w+' : 'r');
  }

  /** The same sessions in another thread, from what `share` gave; they are there as long as the first ones. */
  static attach({ file, columns, offsets, keys }: SharedSpilledSessions): SpilledSessions {
    const attached = new SpilledSessions('', file);
    attached.#columns = new Map(columns.map(([name, type]) => [name, COLUMNS[type]]));
    attached.#bytesPerEvent = [...attached.#columns.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    attached.#offsets = offsets;
    attached.#numSessions = offsets.length - 1;
    attached.#hasKeys = keys !== undefined;
    if (keys) attached.#keys = Array.from(keys);
    return attached;
  }

  /** What another thread needs to read the sessions, as they are now. */
  share(): SharedSpilledSessions {
    const types = Object.entries(COLUMNS) as [ColumnType, Column][];
    const typeOf = (column: Column) => types.find(([, other]) => other === column)?.[0] ?? 'int32';
    const share = (numbers: ArrayLike<number>) => {
      const array = new Int32Array(new SharedArrayBuffer(4 * numbers.length));
      array.set(numbers);
      return array;
    };
    return {
      file: this.#path,
      columns: [...(this.#columns ?? [])].map(([name, column]) => [name, typeOf(column)] as const),
      offsets: share(this.offsets),
      ...(this.#hasKeys && { keys: share(this.#keys) }),
    };
  }

  /** Where each session starts [S + 1]. */
  get offsets(): Int32Array {
    return this.#offsets.subarray(0, this.#numSessions + 1);
  }

  /**
   * Adds sessions after those that are there.
   *
   * @throws when they have other columns than the first ones, there would be 2³¹ events, or the disk is full
   */
  add(part: EncodedSessions): void {
    const arrays = arraysOf(part);
    const columns = new Map([...arrays].map(([name, array]) => [name, columnOf(array)]));
    this.#columns ??= columns;
    if (!sameColumns(this.#columns, columns)) {
      throw new Error(
        `SpilledSessions.add: expected the columns ${[...this.#columns.keys()].join(', ')}, got ${[...columns.keys()].join(', ')}`,
      );
    }
    const numNew = part.offsets.length - 1;
    const numEvents = this.#offsets[this.#numSessions];
    if (numEvents + part.itemIds.length >= 2 ** 31) throw new Error('SpilledSessions.add: more than 2^31 events');
    this.#bytesPerEvent = [...columns.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    const bytes = new Uint8Array(part.itemIds.length * this.#bytesPerEvent);
    let at = 0;
    for (let s = 0; s < numNew; s++) {
      for (const array of arrays.values()) {
        const session = bytesOf(array, part.offsets[s], part.offsets[s + 1]);
        bytes.set(session, at);
        at += session.length;
      }
    }
    writeAll(this.#file, bytes, numEvents * this.#bytesPerEvent);
    this.#hasKeys &&= part.sessionKeys !== undefined || numNew === 0;
    for (const key of part.sessionKeys ?? []) this.#keys.push(key);
    this.#reserve(this.#numSessions + numNew + 1);
    for (let s = 1; s <= numNew; s++) this.#offsets[this.#numSessions + s] = numEvents + part.offsets[s];
    this.#numSessions += numNew;
  }

  /** Reads sessions, each cut to its newest `longest` events, as a batch without targets. */
  take(sessions: Int32Array, longest: number): SessionBatch {
    const all = this.#offsets;
    const offsets = new Int32Array(sessions.length + 1);
    for (const [b, s] of sessions.entries()) offsets[b + 1] = offsets[b] + Math.min(all[s + 1] - all[s], longest);
    const arrays = new Map(
      [...(this.#columns ?? [['itemIds', COLUMNS.int32] as const])].map(([name, column]) => [
        name,
        column.create(offsets[sessions.length]),
      ]),
    );
    for (const [b, s] of sessions.entries()) {
      const length = all[s + 1] - all[s];
      const record = this.#read(all[s] * this.#bytesPerEvent, length * this.#bytesPerEvent);
      let at = 0;
      for (const array of arrays.values()) {
        const end = at + length * array.BYTES_PER_ELEMENT;
        const seen = (offsets[b + 1] - offsets[b]) * array.BYTES_PER_ELEMENT;
        bytesOf(array, offsets[b], offsets[b + 1]).set(record.subarray(end - seen, end));
        at = end;
      }
    }
    const { itemIds, timestampsMs, ...features } = Object.fromEntries(arrays);
    return {
      itemIds: itemIds as Int32Array,
      offsets,
      ...(timestampsMs && { timestampsMs: timestampsMs as Float64Array }),
      ...(Object.keys(features).length > 0 && { features: features as NonNullable<SessionBatch['features']> }),
      sessionKeys: this.#hasKeys ? sessions.map((s) => this.#keys[s]) : sessions.slice(),
      targets: NO_TARGETS,
    };
  }

  /** Closes the file, and removes it where it was made. */
  dispose(): void {
    closeSync(this.#file);
    if (this.#directory !== undefined) rmSync(this.#directory, { recursive: true, force: true });
  }

  #reserve(length: number): void {
    if (length <= this.#offsets.length) return;
    const larger = new Int32Array(Math.max(length, 2 * this.#offsets.length));
    larger.set(this.#offsets);
    this.#offsets = larger;
  }

  #read(position: number, numBytes: number): Uint8Array {
    if (this.#record.length < numBytes) this.#record = new Uint8Array(2 * numBytes);
    let done = 0;
    while (done < numBytes) {
      const got = readSync(this.#file, this.#record, done, numBytes - done, position + done);
      if (got === 0) throw new Error('SpilledSessions.take: the temporary file is shorter than what was written to it');
      done += got;
    }
    return this.#record.subarray(0, numBytes);
  }
}

function arraysOf({
  itemIds,
  timestampsMs,
  features,
}: EncodedSessions): Map<string, Int32Array | Float32Array | Float64Array> {
  return new Map(Object.entries({ itemIds, ...(timestampsMs && { timestampsMs }), ...features }));
}

function columnOf(array: Int32Array | Float32Array | Float64Array): Column {
  if (array instanceof Float64Array) return COLUMNS.float64;
  return array instanceof Int32Array ? COLUMNS.int32 : COLUMNS.float32;
}

function sameColumns(a: ReadonlyMap<string, Column>, b: ReadonlyMap<string, Column>): boolean {
  return a.size === b.size && [...a].every(([name, column]) => b.get(name) === column);
}

function bytesOf(array: Int32Array | Float32Array | Float64Array, from: number, to: number): Uint8Array {
  const size = array.BYTES_PER_ELEMENT;
  return new Uint8Array(array.buffer, array.byteOffset + from * size, (to - from) * size);
}

function writeAll(file: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(file, bytes, done, bytes.length - done, position + done);
  }
}
