import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { Store } from '@nimue/executor';
import type { CellResult } from '../sweep/cell-pool.ts';

/** A cell on its way to a worker: everything but the data. */
export interface SharedCell {
  /** Of the experiment, the data and the code: equal keys, equal figures. */
  readonly key: string;
  /** Version and commit that the figures are of. */
  readonly code: string;
  /** The whole experiment file, as text. */
  readonly experiment: string;
  /** Name of the prepared data set in the store. */
  readonly prepared: string;
  /** Address of the store, as the submitter sees it. */
  readonly store: string;
}

const MANIFEST = 'manifest.json';

/** Puts a prepared data set into the store; its manifest goes last and says that it is complete. */
export async function sharePrepared(store: Store, directory: string, name: string): Promise<void> {
  if (await store.read(`prepared/${name}/${MANIFEST}`)) return;
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && entry.name !== MANIFEST)
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)));
  for (const file of files) {
    await store.upload(`prepared/${name}/${file.split(sep).join('/')}`, join(directory, file));
  }
  await store.upload(`prepared/${name}/${MANIFEST}`, join(directory, MANIFEST));
}

/**
 * Copies a prepared data set out of the store unless it is here.
 *
 * @returns its folder
 * @throws when the store does not hold it whole
 */
export async function fetchPrepared(store: Store, name: string, cache: string): Promise<string> {
  const target = join(cache, name);
  if (await exists(join(target, MANIFEST))) return target;
  await mkdir(cache, { recursive: true });
  const temporary = await mkdtemp(join(cache, '.fetching-'));
  try {
    const names = await store.list(`prepared/${name}/`);
    if (!names.includes(`prepared/${name}/${MANIFEST}`)) {
      throw new Error(`store ${store.url} holds no whole prepared/${name}; run the sweep again, which puts it there`);
    }
    for (const file of names) {
      const path = join(temporary, ...file.split('/').slice(2));
      await mkdir(join(path, '..'), { recursive: true });
      await store.download(file, path);
    }
    await rename(temporary, target).catch(async (error: unknown) => {
      // Another process was quicker.
      if (!(await exists(join(target, MANIFEST)))) throw error;
    });
    return target;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

export async function readSharedResult(store: Store, key: string): Promise<CellResult | undefined> {
  const text = await store.read(`cells/${key}/result.json`);
  return text && (JSON.parse(text.toString('utf8')) as CellResult);
}

/**
 * Puts the run's folder and then the result into the store.
 *
 * @returns the result that the store holds, which is the first one: a cell that ran twice counts once
 */
export async function shareResult(store: Store, key: string, result: CellResult): Promise<CellResult> {
  const entries = await readdir(result.run, { recursive: true, withFileTypes: true });
  const runName = result.run.split(sep).slice(-2).join('/');
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    await store.upload(`cells/${key}/${runName}/${relative(result.run, path).split(sep).join('/')}`, path);
  }
  const shared = { ...result, run: `${store.url}/cells/${key}/${runName}` };
  await store.write(`cells/${key}/result.json`, JSON.stringify(shared, null, 2));
  return (await readSharedResult(store, key)) ?? shared;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
