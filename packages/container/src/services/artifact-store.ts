import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import { link, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A file that only grows. Every line is on disk when `append` returns. */
export interface LineFile {
  /** What was in it when it was opened. */
  readonly lines: readonly string[];
  append(line: string): void;
  close(): void;
}

/**
 * Files that a run leaves behind. A file is either there as a whole or not at all, and nothing is overwritten without
 * being asked.
 */
export interface ArtifactStore {
  /** Makes a new folder and its parents. @throws when the folder exists */
  createFolder(path: string): Promise<void>;
  /** Writes a whole file: temporary name, sync, rename. @throws when the file exists and `overwrite` is not set */
  writeText(path: string, text: string, options?: { readonly overwrite?: boolean }): Promise<void>;
  /**
   * Opens a new file to which lines are added; with `continued` an old one, without what follows its last whole line.
   *
   * @throws when the file exists and is not to be continued
   */
  createLineFile(path: string, options?: { readonly continued?: boolean }): LineFile;
}

/** The store on the local disk. */
export function createFileArtifactStore(): ArtifactStore {
  return {
    async createFolder(path) {
      await mkdir(dirname(path), { recursive: true });
      await mkdir(path).catch((error: unknown) => {
        throw explainExisting(error, path, 'folder');
      });
    },

    async writeText(path, text, { overwrite = false } = {}) {
      const temporary = join(dirname(path), `.${randomUUID()}.tmp`);
      try {
        const file = await open(temporary, 'wx');
        try {
          await file.writeFile(text);
          await file.sync();
        } finally {
          await file.close();
        }
        if (overwrite) await rename(temporary, path);
        else {
          // A link to an existing name fails, where a rename would replace it.
          await link(temporary, path).catch((error: unknown) => {
            throw explainExisting(error, path, 'file');
          });
        }
      } finally {
        await rm(temporary, { force: true });
      }
    },

    createLineFile(path, { continued = false } = {}) {
      let descriptor: number;
      const whole = continued ? wholeLines(path) : '';
      try {
        if (continued) truncateSync(path, Buffer.byteLength(whole));
        descriptor = openSync(path, continued ? 'a' : 'ax');
      } catch (error) {
        throw explainExisting(error, path, 'file');
      }
      return {
        lines: whole === '' ? [] : whole.slice(0, -1).split('\n'),
        append(line) {
          writeSync(descriptor, `${line}\n`);
          fsyncSync(descriptor);
        },
        close: () => closeSync(descriptor),
      };
    },
  };
}

function wholeLines(path: string): string {
  const text = readFileSync(path, 'utf8');
  return text.slice(0, text.lastIndexOf('\n') + 1);
}

function explainExisting(error: unknown, path: string, what: 'file' | 'folder'): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return error;
  return new Error(`${path}: the ${what} exists already and is left as it is; choose another name or remove it`, {
    cause: error,
  });
}
