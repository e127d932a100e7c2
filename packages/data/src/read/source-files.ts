import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { FilesDataset } from './dataset-schema.ts';
import { didYouMean } from './did-you-mean.ts';
import { type Engine, sqlText } from './engine.ts';

export type LogFormat = 'csv' | 'tsv' | 'parquet' | 'arrow' | 'jsonl' | 'sequences';

/** One file of a log. */
export interface SourceFile {
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

const KNOWN_NAME = /\.(csv|tsv|txt|dat|jsonl|ndjson|parquet|pq|arrow|arrows|feather)(\.gz|\.zst)?$/i;

/**
 * The files behind a path, folder, glob or list of them, sorted by path within each entry.
 *
 * @throws when a file is missing (naming near ones), or a folder or glob holds none
 */
export async function resolveFiles(
  files: FilesDataset['files'],
  glob: (pattern: string) => Promise<string[]>,
): Promise<SourceFile[]> {
  const found: SourceFile[] = [];
  for (const entry of typeof files === 'string' ? [files] : files) {
    for (const path of await pathsOf(entry, glob)) {
      const { size, mtimeMs } = await stat(path);
      found.push({ path, bytes: size, modifiedMs: mtimeMs });
    }
  }
  return found;
}

/** Globs by the engine, which knows `*`, `?`, `[…]` and `**`. */
export function globWith(engine: Engine): (pattern: string) => Promise<string[]> {
  return async (pattern) =>
    (await engine.rows(`SELECT file FROM glob(${sqlText(pattern)}) ORDER BY file`)).map((row) => String(row.file));
}

async function pathsOf(entry: string, glob: (pattern: string) => Promise<string[]>): Promise<string[]> {
  const stats = await stat(entry).catch(() => undefined);
  if (stats?.isFile()) return [entry];
  if (stats?.isDirectory()) {
    const names = (await readdir(entry)).filter((name) => KNOWN_NAME.test(name)).sort();
    if (names.length > 0) return names.map((name) => join(entry, name));
    throw new Error(
      `dataset.files: folder ${entry} holds no .csv, .tsv, .txt, .dat, .jsonl, .parquet, .arrow or .feather file (plain, .gz or .zst)`,
    );
  }
  if (/[*?[]/.test(entry)) {
    const paths = await glob(entry);
    if (paths.length > 0) return paths;
    throw new Error(`dataset.files: no file matches ${entry}`);
  }
  const siblings = await readdir(dirname(entry)).catch(() => undefined);
  const advice = siblings
    ? didYouMean(basename(entry), siblings)
    : `; the folder ${dirname(entry)} does not exist either`;
  throw new Error(`dataset.files: ${entry} does not exist${advice}`);
}

/** The format by the name of the first file. @throws when the name does not say it */
export function formatOf(files: readonly SourceFile[], format: LogFormat | undefined): LogFormat {
  if (format) return format;
  const { path } = files[0];
  if (/\.(parquet|pq)$/i.test(path)) return 'parquet';
  if (/\.(arrow|arrows|feather)$/i.test(path)) return 'arrow';
  if (/\.tsv(\.gz|\.zst)?$/i.test(path)) return 'tsv';
  if (/\.(jsonl|ndjson)(\.gz|\.zst)?$/i.test(path)) return 'jsonl';
  if (/\.(csv|txt|dat)(\.gz|\.zst)?$/i.test(path)) return 'csv';
  throw new Error(
    `dataset.format: cannot tell the format of ${path} by its name; set format to csv, tsv, jsonl, parquet, arrow or sequences`,
  );
}

/** @throws when a Parquet file does not begin and end with PAR1: another format, or cut off */
export async function assertParquetMagic(files: readonly SourceFile[]): Promise<void> {
  for (const { path, bytes } of files) {
    const file = await open(path);
    try {
      const head = Buffer.alloc(4);
      const tail = Buffer.alloc(4);
      await file.read(head, 0, 4, 0);
      await file.read(tail, 0, 4, Math.max(0, bytes - 4));
      if (head.toString('latin1') !== 'PAR1') {
        throw new Error(
          `${path}: not a Parquet file (it begins with ${JSON.stringify(head.toString('latin1'))}, expected "PAR1"); check format`,
        );
      }
      if (bytes < 12 || tail.toString('latin1') !== 'PAR1') {
        throw new Error(
          `${path}: the Parquet file is cut off (${bytes} bytes, no "PAR1" at the end); copy or download it again`,
        );
      }
    } finally {
      await file.close();
    }
  }
}
