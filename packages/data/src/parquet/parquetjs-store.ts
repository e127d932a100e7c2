/// <reference path="./parquetjs-lite.d.ts" />
import { type FileHandle, open } from 'node:fs/promises';
import type { ByteSink, ParquetReader, RowBuffer } from 'parquetjs-lite';
import { messageOf } from '../read/engine.ts';
import {
  assertColumnsFit,
  assertExact,
  type ParquetColumns,
  type ParquetColumnType,
  type ParquetSchema,
  type ParquetStore,
} from './parquet-store.ts';

const FIELD_TYPES = { int32: 'INT32', int64: 'INT64', double: 'DOUBLE', string: 'UTF8' } as const satisfies Record<
  ParquetColumnType,
  string
>;
const ROWS_PER_GROUP = 65_536;

/** parquetjs-lite names its encodings by number: 2 and 8 are the dictionary encodings. */
const DICTIONARY_ENCODINGS = [2, 8];
const READABLE_CODECS = [0, 1, 2];
/** Annotations that change nothing about how a value is stored. */
const READABLE_TYPES = ['UTF8', 'INT_32', 'INT_64'];

/** Parquet in pure JavaScript (parquetjs-lite), for small and exported files. */
export const parquetjsStore: ParquetStore = {
  name: 'parquetjs',

  async openWriter(file, schema) {
    const { ParquetSchema: Schema, ParquetWriter } = (await import('parquetjs-lite')).default;
    const fields = Object.entries(schema).map(
      ([name, type]) => [name, { type: FIELD_TYPES[type], compression: 'SNAPPY', statistics: false }] as const,
    );
    const sink = new FileSink(file, await open(file, 'w').catch((error: unknown) => refuse(file, error)));
    // With these sizes every appendRow ends a page and a row group; the rows before it are put into the buffer as columns,
    // which is several times faster than appending each (4 to 12 times, measured).
    const writer = await ParquetWriter.openStream(new Schema(Object.fromEntries(fields)), sink, {
      pageSize: 1,
      rowGroupSize: 1,
    });
    return {
      async append(columns) {
        const numRows = assertColumnsFit(schema, columns);
        for (let from = 0; from < numRows; from += ROWS_PER_GROUP) {
          const last = Math.min(from + ROWS_PER_GROUP, numRows) - 1;
          if (last > from) writer.rowBuffer = bufferOf(schema, columns, from, last);
          await writer.appendRow(Object.fromEntries(Object.keys(schema).map((name) => [name, columns[name][last]])));
          sink.assertWritten();
        }
      },
      async close() {
        await writer.close();
        sink.assertWritten();
      },
    };
  },

  async read(file) {
    const { ParquetReader: Reader } = (await import('parquetjs-lite')).default;
    // rawStatistics: decoding the statistics of foreign files throws.
    const reader = await Reader.openFile(file, { rawStatistics: true }).catch((error: unknown) => {
      throw new Error(`${file}: parquetjs-lite cannot open it (${messageOf(error)}); read it with duckdbStore`);
    });
    try {
      assertReadable(reader, file);
      const result: Record<string, Float64Array | string[]> = {};
      const parts = new Map<string, unknown[]>();
      for (const field of reader.schema.fieldList) parts.set(field.name, []);
      for (const group of reader.metadata.row_groups) {
        const { columnData, rowCount } = await reader.envelopeReader.readRowGroup(reader.schema, group, []);
        for (const [name, values] of parts) {
          const read = columnData[name].values ?? [];
          // The library leaves missing cells out, which would move all later ones up.
          if (read.length !== rowCount) {
            throw new Error(
              `${file}, column '${name}': ${rowCount - read.length} cells are missing; expected a value in every row`,
            );
          }
          for (const value of read) values.push(value);
        }
      }
      for (const field of reader.schema.fieldList) {
        const values = parts.get(field.name) ?? [];
        if (field.primitiveType === 'BYTE_ARRAY') {
          result[field.name] = values.map((value) => (Buffer.isBuffer(value) ? value.toString('utf8') : String(value)));
          continue;
        }
        const numbers = Float64Array.from(values, Number);
        if (field.primitiveType === 'INT64') assertExact(numbers, file, field.name);
        result[field.name] = numbers;
      }
      return result;
    } finally {
      await reader.close();
    }
  },
};

/**
 * Writes one piece after another. The library forgets to wait for some of its writes, whose failure nobody would catch: it is
 * kept here until it is asked for.
 */
class FileSink implements ByteSink {
  readonly #file: string;
  readonly #handle: FileHandle;
  #failure: unknown;
  #pending: Promise<unknown> = Promise.resolve();

  constructor(file: string, handle: FileHandle) {
    this.#file = file;
    this.#handle = handle;
  }

  write(bytes: Uint8Array, done: () => void): void {
    this.#then(() => (this.#failure === undefined ? this.#handle.writeFile(bytes) : undefined), done);
  }

  end(done: () => void): void {
    this.#then(() => this.#handle.close(), done);
  }

  /** @throws naming the file, when it could not be written */
  assertWritten(): void {
    if (this.#failure !== undefined) refuse(this.#file, this.#failure);
  }

  #then(act: () => Promise<void> | undefined, done: () => void): void {
    this.#pending = this.#pending
      .then(act)
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .then(done);
  }
}

function refuse(file: string, error: unknown): never {
  throw new Error(`${file}: cannot be written: ${messageOf(error)}`);
}

/** Rows `from` … `to - 1` as parquetjs-lite keeps them between `appendRow` calls: required columns, so no levels but 0. */
function bufferOf(schema: ParquetSchema, columns: ParquetColumns, from: number, to: number): RowBuffer {
  const numRows = to - from;
  const columnData: NonNullable<RowBuffer['columnData']> = {};
  const pages: NonNullable<RowBuffer['pages']> = {};
  for (const [name, type] of Object.entries(schema)) {
    const values: unknown[] = new Array(numRows);
    for (let row = 0; row < numRows; row++) {
      const value = columns[name][from + row];
      values[row] = type === 'string' ? Buffer.from(String(value), 'utf8') : value;
    }
    const zeros = () => new Array<number>(numRows).fill(0);
    columnData[name] = { values, dlevels: zeros(), rlevels: zeros(), distinct_values: new Set(), count: numRows };
    pages[name] = [];
  }
  return { rowCount: numRows, pageRowCount: numRows, columnData, pages };
}

/** @throws when a column is nested, optional, dictionary-encoded or of a type that the library reads wrongly */
function assertReadable(reader: ParquetReader, file: string): void {
  const refuse = (name: string, why: string) =>
    new Error(
      `${file}, column '${name}': ${why}, which parquetjs-lite cannot be trusted to read; read it with duckdbStore`,
    );
  for (const field of reader.schema.fieldList) {
    if (field.isNested || field.repetitionType === 'REPEATED') throw refuse(field.name, 'nested values');
    if (field.originalType && !READABLE_TYPES.includes(field.originalType))
      throw refuse(field.name, `the type ${field.originalType}`);
    if (!['INT32', 'INT64', 'DOUBLE', 'BYTE_ARRAY'].includes(field.primitiveType))
      throw refuse(field.name, `the type ${field.primitiveType}`);
  }
  for (const group of reader.metadata.row_groups) {
    for (const { meta_data } of group.columns) {
      const name = meta_data.path_in_schema.join('.');
      const offset = meta_data.dictionary_page_offset;
      if (
        (offset !== null && offset !== undefined) ||
        meta_data.encodings.some((encoding) => DICTIONARY_ENCODINGS.includes(encoding))
      ) {
        throw refuse(name, 'dictionary encoding');
      }
      if (!READABLE_CODECS.includes(meta_data.codec)) throw refuse(name, `compression codec ${meta_data.codec}`);
    }
  }
}
