import { stat } from 'node:fs/promises';
import { messageOf } from '../read/engine.ts';
import { duckdbStore } from './duckdb-store.ts';
import type { ParquetSchema, ParquetStore, ParquetWriter } from './parquet-store.ts';
import { parquetjsStore } from './parquetjs-store.ts';

/** Which store: `auto` chooses by size, and by what a file holds; a name forces it. */
export type ParquetStoreChoice = 'auto' | ParquetStore['name'];

/** A file of at most this size is tried in pure JavaScript first: it is read before DuckDB would be loaded. */
const SMALL_BYTES = 2 ** 20;
/** A table of at most this many rows is written in pure JavaScript. */
const SMALL_ROWS = 100_000;

/**
 * Reads a small flat table.
 *
 * `auto`: a file of up to 1 MiB by parquetjs-lite where that reads it safely; anything else by DuckDB.
 *
 * @throws when the file cannot be read, or the store that is forced cannot be trusted with it
 */
export async function readParquet(
  file: string,
  { store = 'auto' }: { readonly store?: ParquetStoreChoice } = {},
): Promise<Record<string, Float64Array | string[]>> {
  if (store !== 'auto') return storeOf(store).read(file);
  const bytes = await stat(file).then(
    ({ size }) => size,
    (error: unknown) => {
      throw new Error(`${file}: cannot be read as Parquet: ${messageOf(error)}`);
    },
  );
  if (bytes <= SMALL_BYTES) {
    const columns = await parquetjsStore.read(file).catch(() => undefined);
    if (columns) return columns;
  }
  return duckdbStore.read(file);
}

/**
 * Begins a small flat table.
 *
 * `auto`: up to 100,000 rows are written by parquetjs-lite, more, or a number that is not known, by DuckDB.
 *
 * @param numRows how many rows will be appended, where that is known
 * @throws when the file cannot be written
 */
export async function openParquetWriter(
  file: string,
  schema: ParquetSchema,
  { store = 'auto', numRows }: { readonly store?: ParquetStoreChoice; readonly numRows?: number } = {},
): Promise<ParquetWriter> {
  if (store !== 'auto') return storeOf(store).openWriter(file, schema);
  const isSmall = numRows !== undefined && numRows <= SMALL_ROWS;
  return (isSmall ? parquetjsStore : duckdbStore).openWriter(file, schema);
}

function storeOf(name: ParquetStore['name']): ParquetStore {
  return name === 'duckdb' ? duckdbStore : parquetjsStore;
}
