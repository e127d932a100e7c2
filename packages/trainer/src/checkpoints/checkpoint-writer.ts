import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { partsOfCheckpoint } from './checkpoint-file.ts';
import type { Safetensors } from './safetensors.ts';

/**
 * Writes checkpoint files one after another while training goes on: only the checksum is the caller's time; write and sync
 * run on threads of Node. Each file is there whole or not at all, as `writeCheckpointFile` leaves it.
 */
export class CheckpointWriter {
  #last: Promise<void> = Promise.resolve();

  /**
   * Begins to write when what was begun before is done.
   *
   * @param content its arrays must not change before `settled`
   * @param after called when the file is there
   * @throws what went wrong with an earlier file
   */
  async write(path: string, content: Safetensors, after: () => void = () => {}): Promise<void> {
    await this.settled();
    this.#last = writeParts(path, partsOfCheckpoint(content)).then(after);
    // Told by `settled`; until then it is no unhandled rejection.
    this.#last.catch(() => {});
  }

  /** Resolves when everything is on disk. @throws what went wrong */
  async settled(): Promise<void> {
    const last = this.#last;
    this.#last = Promise.resolve();
    await last;
  }
}

async function writeParts(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(temporary, 'w');
    try {
      for (const part of parts) {
        for (let at = 0; at < part.length; ) at += (await file.write(part, at)).bytesWritten;
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
