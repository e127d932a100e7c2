import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { compareText } from '../dataset/dataset-from-sessions.ts';

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

const HEADER_BYTES = 21;

/**
 * Collects sessions by window. They come ordered by user or session, so all windows fill at once: each has a buffer in
 * memory, and the buffers go to one file per window when together they pass a limit.
 *
 * A record is startMs f64, numEvents u32, fullLength u32, idBytes u32, isValid u8, id utf-8, itemCodes i32[], timestampsMs f64[], then every
 * further column f64[], little-endian.
 */
export class WindowSpool {
  readonly #directory: string;
  readonly #limitBytes: number;
  readonly #numColumns: number;
  readonly #buffers: { bytes: Buffer; used: number }[];
  #heldBytes = 0;

  /** @param limitBytes memory for all buffers together; default 64 MB */
  constructor(directory: string, numWindows: number, numColumns = 0, limitBytes = 64 * 2 ** 20) {
    this.#numColumns = numColumns;
    mkdirSync(directory, { recursive: true });
    this.#directory = directory;
    this.#limitBytes = limitBytes;
    this.#buffers = Array.from({ length: numWindows }, () => ({ bytes: Buffer.alloc(0), used: 0 }));
  }

  add(window: number, session: SpooledSession): void {
    const buffer = this.#buffers[window];
    const idBytes = Buffer.byteLength(session.id);
    const numEvents = session.itemCodes.length;
    const needed = HEADER_BYTES + idBytes + numEvents * (12 + 8 * this.#numColumns);
    if (buffer.used + needed > buffer.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(4096, 2 * (buffer.used + needed)));
      buffer.bytes.copy(larger, 0, 0, buffer.used);
      this.#heldBytes += larger.length - buffer.bytes.length;
      buffer.bytes = larger;
    }
    const { bytes } = buffer;
    let at = bytes.writeDoubleLE(session.startMs, buffer.used);
    at = bytes.writeUInt32LE(numEvents, at);
    at = bytes.writeUInt32LE(session.fullLength, at);
    at = bytes.writeUInt32LE(idBytes, at);
    at = bytes.writeUInt8(session.isValid ? 1 : 0, at);
    at += bytes.write(session.id, at);
    for (let i = 0; i < numEvents; i++) at = bytes.writeInt32LE(session.itemCodes[i], at);
    for (const column of [session.timestampsMs, ...session.columns]) {
      for (let i = 0; i < numEvents; i++) at = bytes.writeDoubleLE(column[i], at);
    }
    buffer.used = at;
    if (this.#heldBytes > this.#limitBytes) this.#flush();
  }

  /** The sessions of a window ordered by start, then id; the window's memory and file are given up. */
  take(window: number): SpooledSession[] {
    const file = this.#file(window);
    const { bytes, used } = this.#buffers[window];
    const held = bytes.subarray(0, used);
    const all = existsSync(file) ? Buffer.concat([readFileSync(file), held]) : held;
    this.#buffers[window] = { bytes: Buffer.alloc(0), used: 0 };
    rmSync(file, { force: true });
    const sessions: SpooledSession[] = [];
    for (let at = 0; at < all.length; ) {
      const startMs = all.readDoubleLE(at);
      const numEvents = all.readUInt32LE(at + 8);
      const fullLength = all.readUInt32LE(at + 12);
      const idBytes = all.readUInt32LE(at + 16);
      const isValid = all[at + 20] === 1;
      at += HEADER_BYTES;
      const id = all.toString('utf8', at, at + idBytes);
      at += idBytes;
      const itemCodes = new Int32Array(numEvents);
      for (let i = 0; i < numEvents; i++) itemCodes[i] = all.readInt32LE(at + 4 * i);
      at += 4 * numEvents;
      const [timestampsMs, ...columns] = Array.from({ length: 1 + this.#numColumns }, () => {
        const column = new Float64Array(numEvents);
        for (let i = 0; i < numEvents; i++) column[i] = all.readDoubleLE(at + 8 * i);
        at += 8 * numEvents;
        return column;
      });
      sessions.push({ id, startMs, isValid, fullLength, itemCodes, timestampsMs, columns });
    }
    return sessions.sort((a, b) => a.startMs - b.startMs || compareText(a.id, b.id));
  }

  #flush(): void {
    this.#buffers.forEach((buffer, window) => {
      if (buffer.used > 0) appendFileSync(this.#file(window), buffer.bytes.subarray(0, buffer.used));
      this.#buffers[window] = { bytes: Buffer.alloc(0), used: 0 };
    });
    this.#heldBytes = 0;
  }

  #file(window: number): string {
    return join(this.#directory, `window-${window}`);
  }
}
