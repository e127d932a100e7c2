import { randomUUID } from 'node:crypto';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { Store } from '@nimue/executor';
import { findUnfinishedRun } from '../sweep/unfinished-run.ts';

/** The run of a cell that has not finished, in a store, so that another worker goes on with it. */
export interface UnfinishedCell {
  /** Copies what the store holds of the cell's run. @returns its folder; undefined where there is nothing to go on from */
  fetch(): Promise<string | undefined>;
  /** Puts into the store what is new in the run since the last time; nothing before there is a checkpoint. */
  keep(): Promise<void>;
  /** Removes it from the store: the cell has finished. */
  forget(): Promise<void>;
}

/** How a file of the run has last been seen, and its name in the store. */
interface KeptFile {
  readonly stamp: string;
  readonly stored: string;
}

/**
 * Names in the store are `unfinished/<key>/<name>/<run>/<file>@<number>-<random>`: a name there stands for one content, so a file
 * that has changed gets a higher number, and the one before it goes when the new one is there. Two workers on one cell, of
 * which one has lost its lock without knowing, do the same work and so do not harm each other.
 *
 * @param key of the cell
 * @param out the folder in which the worker's process makes the folder of the run
 */
export function unfinishedCell(store: Store, key: string, out: string): UnfinishedCell {
  const root = `unfinished/${key}/`;
  const kept = new Map<string, KeptFile>();
  let number = 0;
  return {
    async fetch() {
      // In order of their numbers, so that the newest of a file's copies comes last.
      for (const stored of await store.list(root)) {
        const [, file, count] = /^(.+)@(\d+)-[^@]*$/.exec(stored.slice(root.length)) ?? [];
        if (file === undefined) continue;
        number = Math.max(number, Number(count));
        kept.set(file, { stamp: '', stored });
      }
      for (const [file, { stored }] of kept) {
        const path = join(out, ...file.split('/'));
        await mkdir(dirname(path), { recursive: true });
        await store.download(stored, path);
        kept.set(file, { stamp: (await stampOf(path)) ?? '', stored });
      }
      return findUnfinishedRun(out);
    },
    async keep() {
      const run = await findUnfinishedRun(out);
      if (run === undefined) return;
      const files = await filesOf(run);
      if (!files.some((file) => isCheckpoint(file))) return;
      const names = new Set(files.map((file) => relative(out, file).split(sep).join('/')));
      for (const name of names) {
        const path = join(out, ...name.split('/'));
        const stamp = await stampOf(path);
        const before = kept.get(name);
        if (stamp === undefined || stamp === before?.stamp) continue;
        const stored = `${root}${name}@${String(++number).padStart(9, '0')}-${randomUUID().slice(0, 8)}`;
        // The run removes checkpoints that newer ones have replaced.
        if (!(await store.upload(stored, path).catch(unlessGone))) continue;
        kept.set(name, { stamp, stored });
        if (before) await store.remove(before.stored);
      }
      for (const [name, { stored }] of kept) {
        if (names.has(name)) continue;
        await store.remove(stored);
        kept.delete(name);
      }
    },
    forget: () => store.remove(root),
  };
}

/** What a resumed run goes on with; its models are written anew. Checkpoints come last: with one there is the rest. */
async function filesOf(run: string): Promise<string[]> {
  const entries = await readdir(run, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.tmp'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !relative(run, file).startsWith(`models${sep}`));
  return files.sort((a, b) => Number(isCheckpoint(a)) - Number(isCheckpoint(b)) || (a < b ? -1 : 1));
}

function isCheckpoint(file: string): boolean {
  return file.endsWith('.safetensors');
}

async function stampOf(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(unlessGone);
  return found ? `${found.mtimeMs} ${found.size}` : undefined;
}

function unlessGone(error: NodeJS.ErrnoException): false {
  if (error.code === 'ENOENT') return false;
  throw error;
}
