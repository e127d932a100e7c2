import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { messageOf } from './engine.ts';

/** A temporary file that takes what does not stay in memory, made when the first bytes come. Close it. */
export class SpillFile {
  readonly path: string;
  readonly #isAttached: boolean;
  #descriptor: number | undefined;
  #length = 0;

  /** @param isAttached the file is another's, who wrote it: it is only read here */
  constructor(path: string, isAttached = false) {
    this.path = path;
    this.#isAttached = isAttached;
  }

  /** @returns where the bytes begin @throws naming the file, when it cannot be written */
  append(bytes: Uint8Array): number {
    const at = this.#length;
    try {
      if (this.#isAttached) throw new Error('it belongs to another thread');
      this.#descriptor ??= openSync(this.path, 'w+');
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(this.#descriptor, bytes, done, bytes.length - done, at + done);
      }
    } catch (error) {
      throw new Error(`${this.path}: cannot be written: ${messageOf(error)}`);
    }
    this.#length += bytes.length;
    return at;
  }

  /** Fills `into` with the bytes from `at` on. @throws when there are not so many */
  read(into: Uint8Array, at: number): void {
    if (this.#isAttached) this.#descriptor ??= openSync(this.path, 'r');
    for (let done = 0; done < into.length; ) {
      const read =
        this.#descriptor === undefined ? 0 : readSync(this.#descriptor, into, done, into.length - done, at + done);
      if (read === 0) throw new Error(`${this.path}: ends before byte ${at + into.length}; the disk may be damaged`);
      done += read;
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
    if (!this.#isAttached) rmSync(this.path, { force: true });
  }
}
