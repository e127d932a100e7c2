import { type FileHandle, open } from 'node:fs/promises';
import type { DuckDBAppender, DuckDBType, DuckDBValue } from '@duckdb/node-api';
import type { DataType, RecordBatch } from 'apache-arrow';
import { type Engine, messageOf, sqlName } from './engine.ts';
import { unpackLz4Frame } from './lz4-frame.ts';
import type { Source } from './open-source.ts';
import type { SourceFile } from './source-files.ts';

const MAGIC = 'ARROW1';
/** Ends a stream: a continuation mark and a length of 0. */
const END_OF_STREAM = 'ffffffff00000000';
const ROWS_PER_CHUNK = 2048;

type PlainType = 'BIGINT' | 'UBIGINT' | 'DOUBLE' | 'VARCHAR' | 'BOOLEAN' | 'TIMESTAMP';
type CellType = PlainType | `${PlainType}[]`;

/**
 * Reads Arrow IPC files (Feather) and streams, batch by batch, into a table of the engine. Buffers may be compressed with
 * LZ4, the default of Feather files, or zstd. Columns of other types than numbers, texts, truth values, dates, timestamps
 * and lists of these are left out.
 *
 * @throws naming the file when it is cut off, damaged, no Arrow file, or has other columns than the first
 */
export async function openArrowFiles(engine: Engine, files: readonly SourceFile[], label: string): Promise<Source> {
  let types: Map<string, CellType> | undefined;
  for (const [index, { path, bytes }] of files.entries()) {
    const file = await open(path);
    try {
      await assertWhole(file, path, bytes);
      types = await loadFile(engine, file, path, index, types);
    } finally {
      await file.close();
    }
  }
  const relation = (fileIndex?: number) =>
    `(SELECT * EXCLUDE (file_index) FROM arrow_rows${fileIndex === undefined ? '' : ` WHERE file_index = ${fileIndex}`})`;
  return { isText: false, files, types: types ?? new Map(), relation, placeOf: (row) => `row ${row}`, label };
}

async function assertWhole(file: FileHandle, path: string, bytes: number): Promise<void> {
  const head = Buffer.alloc(8);
  const tail = Buffer.alloc(8);
  await file.read(head, 0, 8, 0);
  await file.read(tail, 0, 8, Math.max(0, bytes - 8));
  const isFile = head.toString('latin1').startsWith(MAGIC);
  if (!isFile && head.readUInt32LE(0) !== 0xff_ff_ff_ff) {
    throw new Error(`${path}: neither an Arrow file nor an Arrow stream; check format`);
  }
  if (isFile ? tail.toString('latin1').endsWith(MAGIC) : tail.toString('hex') === END_OF_STREAM) return;
  throw new Error(`${path}: the Arrow ${isFile ? 'file' : 'stream'} is cut off; copy or download it again`);
}

async function loadFile(
  engine: Engine,
  file: FileHandle,
  path: string,
  index: number,
  expected: Map<string, CellType> | undefined,
): Promise<Map<string, CellType>> {
  const { compressionRegistry, CompressionType, RecordBatchReader } = await import('apache-arrow');
  const { decompress } = await import('fzstd');
  // A copy, since 64-bit columns are views that must begin at a multiple of 8.
  compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: unpackLz4Frame });
  compressionRegistry.set(CompressionType.ZSTD, { decode: (data) => decompress(data).slice() });
  try {
    const reader = await RecordBatchReader.from(file);
    await reader.open();
    const types = new Map<string, CellType>();
    for (const { name, type } of reader.schema.fields) {
      const cell = await cellTypeOf(type);
      if (cell) types.set(name, cell);
    }
    const shown = (of: Map<string, CellType>) => [...of].map(([name, type]) => `${name} ${type}`).join(', ');
    if (expected && shown(types) !== shown(expected)) {
      throw new Error(`its columns are ${shown(types)}, but the first file has ${shown(expected)}`);
    }
    if (!expected) {
      const columns = [...types].map(([name, type]) => `${sqlName(name)} ${type}`);
      await engine.run(`CREATE OR REPLACE TABLE arrow_rows (${[...columns, 'file_index INTEGER'].join(', ')})`);
    }
    const appender = await engine.connection.createAppender('arrow_rows');
    for await (const batch of reader) await appendBatch(appender, batch, types, index);
    appender.closeSync();
    return types;
  } catch (error) {
    throw new Error(`${path}: cannot be read as Arrow: ${messageOf(error)}`);
  }
}

async function cellTypeOf(type: DataType): Promise<CellType | undefined> {
  const { DataType: Arrow } = await import('apache-arrow');
  if (Arrow.isDictionary(type)) return cellTypeOf(type.dictionary);
  if (Arrow.isInt(type)) return type.bitWidth === 64 && !type.isSigned ? 'UBIGINT' : 'BIGINT';
  if (Arrow.isFloat(type)) return 'DOUBLE';
  if (Arrow.isUtf8(type) || Arrow.isLargeUtf8(type)) return 'VARCHAR';
  if (Arrow.isBool(type)) return 'BOOLEAN';
  if (Arrow.isList(type) || Arrow.isFixedSizeList(type)) {
    const element = await cellTypeOf(type.children[0].type);
    return element && !isListType(element) ? `${element}[]` : undefined;
  }
  return Arrow.isTimestamp(type) || Arrow.isDate(type) ? 'TIMESTAMP' : undefined;
}

async function appendBatch(
  appender: DuckDBAppender,
  batch: RecordBatch,
  types: ReadonlyMap<string, CellType>,
  index: number,
): Promise<void> {
  const duckdb = await import('@duckdb/node-api');
  const engineType = (type: CellType): DuckDBType =>
    isListType(type) ? duckdb.LIST(duckdb[elementOf(type)]) : duckdb[type];
  const plainCell = (type: PlainType, value: unknown): DuckDBValue => {
    if (value === null || value === undefined) return null;
    if (type === 'BIGINT' || type === 'UBIGINT') return BigInt(value as number | bigint);
    // Arrow gives times as milliseconds, with a fraction where they are finer.
    if (type === 'TIMESTAMP') return new duckdb.DuckDBTimestampValue(BigInt(Math.round(Number(value) * 1000)));
    return value as DuckDBValue;
  };
  const cellOf = (type: CellType, value: unknown): DuckDBValue => {
    if (!isListType(type) || value === null) return plainCell(type as PlainType, value);
    return new duckdb.DuckDBListValue(Array.from(value as Iterable<unknown>, (one) => plainCell(elementOf(type), one)));
  };
  const engineTypes = [...[...types.values()].map(engineType), duckdb.INTEGER];
  for (let from = 0; from < batch.numRows; from += ROWS_PER_CHUNK) {
    const length = Math.min(ROWS_PER_CHUNK, batch.numRows - from);
    const chunk = duckdb.DuckDBDataChunk.create(engineTypes, length);
    let c = 0;
    for (const [name, type] of types) {
      const vector = batch.getChild(name);
      const cells = Array.from({ length }, (_, row) => cellOf(type, vector?.get(from + row) ?? null));
      chunk.setColumnValues(c++, cells);
    }
    chunk.setColumnValues(c, new Array<number>(length).fill(index));
    appender.appendDataChunk(chunk);
  }
}

function isListType(type: CellType): type is `${PlainType}[]` {
  return type.endsWith('[]');
}

function elementOf(type: `${PlainType}[]`): PlainType {
  return type.slice(0, -2) as PlainType;
}
