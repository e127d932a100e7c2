import { createReadStream, createWriteStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { FilesDataset } from './dataset-schema.ts';
import { didYouMean } from './did-you-mean.ts';
import { type Engine, messageOf, sqlText } from './engine.ts';

export type LogFormat = 'csv' | 'tsv' | 'parquet' | 'sequences';

/** One file of a log. */
export interface SourceFile {
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

const KNOWN_NAME = /\.(csv|tsv|txt|dat|parquet|pq)(\.gz)?$/i;

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
    throw new Error(`dataset.files: folder ${entry} holds no .csv, .tsv, .txt, .dat or .parquet file (plain or .gz)`);
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
  if (/\.tsv(\.gz)?$/i.test(path)) return 'tsv';
  if (/\.(csv|txt|dat)(\.gz)?$/i.test(path)) return 'csv';
  throw new Error(
    `dataset.format: cannot tell the format of ${path} by its name; set format to csv, tsv, parquet or sequences`,
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

/** Whether a file begins like gzip. */
export async function isGzip(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const head = Buffer.alloc(2);
    await file.read(head, 0, 2, 0);
    return head[0] === 0x1f && head[1] === 0x8b;
  } finally {
    await file.close();
  }
}

/**
 * Unpacks a gzip file. DuckDB reads gzip too, but takes a truncated file for a shorter one; here it is an error.
 *
 * @throws when the file is truncated or damaged
 */
export async function gunzipTo(path: string, target: string): Promise<void> {
  try {
    await pipeline(createReadStream(path), createGunzip(), createWriteStream(target));
  } catch (error) {
    const reason = messageOf(error);
    const isCut = reason.includes('unexpected end of file');
    throw new Error(
      isCut
        ? `${path}: the gzip file is cut off; copy or download it again`
        : `${path}: cannot unpack the gzip file: ${reason}`,
    );
  }
}
