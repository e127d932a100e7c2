import { join } from 'node:path';
import { assertWindowIndex } from '../dataset/dataset-from-sessions.ts';
import { keyOfColumn } from '../dataset/raw-columns.ts';
import { emptySessions, type Sessions } from '../dataset/sessions.ts';
import type { WindowedDataset, WindowInfo } from '../dataset/windowed-dataset.ts';
import { duckdbStore } from '../parquet/duckdb-store.ts';
import { type Engine, openEngine } from '../read/engine.ts';
import { type PreparedCounts, readManifest } from './manifest.ts';
import { readSessionFile, splitFile } from './session-files.ts';
import { ITEMS_FILE, textsFile } from './write-dictionaries.ts';

/** A prepared data set on disk. Close it. */
export interface PreparedDataset extends WindowedDataset {
  /** `<directory>/<window id>/{train,valid,test}.parquet`, `items.parquet`, `manifest.json`. */
  readonly directory: string;
  /** Says what was prepared and how: equal keys, equal contents. */
  readonly key: string;
  readonly counts: PreparedCounts;
  close(): void;
}

async function readTexts(file: string): Promise<readonly string[]> {
  const { value } = await duckdbStore.read(file);
  if (!Array.isArray(value)) throw new Error(`openPrepared: ${file} does not hold texts; prepare the folder again`);
  return value;
}

/**
 * Opens a folder that `prepareWindows` made. Windows are read one at a time, when asked for.
 *
 * @throws when the folder is not complete
 *
 * @example
 * const dataset = await openPrepared('prepared/clicks-1f3a…');
 * const sessions = await dataset.read(0, 'train');
 */
export async function openPrepared(directory: string): Promise<PreparedDataset> {
  const manifest = await readManifest(directory);
  const { code, item_id: rawIds } = await duckdbStore.read(join(directory, ITEMS_FILE));
  if (!Array.isArray(rawIds) || code.length !== manifest.numRawItems) {
    throw new Error(
      `openPrepared: ${join(directory, ITEMS_FILE)} does not hold ${manifest.numRawItems} items; prepare the folder again`,
    );
  }
  const texts: Record<string, readonly string[]> = {};
  for (const [c, { name, kind }] of manifest.columns.entries()) {
    if (kind === 'text') texts[name] = await readTexts(join(directory, textsFile(c)));
  }
  const columnKeys = manifest.columns.map(keyOfColumn);
  const codes = new Map(rawIds.map((rawId, i) => [rawId, i]));
  const windows: readonly WindowInfo[] = manifest.windows;
  let engine: Promise<Engine> | undefined;
  return {
    directory,
    key: manifest.key,
    counts: manifest.counts,
    windows,
    numRawItems: manifest.numRawItems,
    hasTimes: manifest.hasTimes,
    texts,
    rawItemId(itemCode) {
      const rawId = rawIds[itemCode];
      if (rawId === undefined)
        throw new Error(`rawItemId: no item has code ${itemCode}; codes are 0 … ${rawIds.length - 1}`);
      return rawId;
    },
    itemCode: (rawId) => codes.get(rawId),
    async read(windowIndex, split): Promise<Sessions> {
      assertWindowIndex(windowIndex, windows);
      const window = windows[windowIndex];
      if (window.numSessions === 0) return emptySessions();
      engine ??= openEngine({ threads: 1 });
      const sessions = await readSessionFile(await engine, join(directory, splitFile(window.id, split)), columnKeys);
      return manifest.hasTimes ? sessions : { ...sessions, hasOnlyOrder: true };
    },
    close() {
      void engine?.then((opened) => opened.close());
      engine = undefined;
    },
  };
}
