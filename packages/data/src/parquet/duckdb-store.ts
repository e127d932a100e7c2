import { type Engine, messageOf, openEngine, sqlName, sqlText } from '../read/engine.ts';
import {
  assertColumnsFit,
  assertExact,
  type ParquetColumns,
  type ParquetColumnType,
  type ParquetSchema,
  type ParquetStore,
} from './parquet-store.ts';

const SQL_TYPES = { int32: 'INTEGER', int64: 'BIGINT', double: 'DOUBLE', string: 'VARCHAR' } as const satisfies Record<
  ParquetColumnType,
  string
>;
const ROWS_PER_CHUNK = 2048;
/** No dictionaries, so that parquetjs-lite can read what is written here. */
const PLAIN_OPTIONS = ', DICTIONARY_SIZE_LIMIT 1, PARQUET_VERSION V1';
const NUMBER_TYPE = /^(U?(TINY|SMALL|BIG)?INT(EGER)?|UINTEGER|DOUBLE|FLOAT)$/;

/** Parquet through DuckDB: every dialect. */
export const duckdbStore: ParquetStore = {
  name: 'duckdb',

  async openWriter(file, schema) {
    const engine = await openEngine();
    await createTable(engine, 'rows', schema);
    return {
      append: (columns) => appendColumns(engine, 'rows', schema, columns),
      async close() {
        try {
          await copyToParquet(engine, 'SELECT * FROM rows', file, PLAIN_OPTIONS);
        } finally {
          engine.close();
        }
      },
    };
  },

  async read(file) {
    const engine = await openEngine();
    try {
      const sql = `SELECT * FROM read_parquet(${sqlText(file)}, binary_as_string = true)`;
      const reader = await engine.connection.runAndReadAll(sql).catch((error: unknown) => {
        throw new Error(`${file}: cannot be read as Parquet: ${messageOf(error).split('\n')[0]}`);
      });
      const columns = reader.getColumns();
      const result: Record<string, Float64Array | string[]> = {};
      reader.columnNames().forEach((name, c) => {
        result[name] = plainColumn(file, name, String(reader.columnType(c)), columns[c]);
      });
      return result;
    } finally {
      engine.close();
    }
  },
};

export async function createTable(engine: Engine, table: string, schema: ParquetSchema): Promise<void> {
  const columns = Object.entries(schema).map(([name, type]) => `${sqlName(name)} ${SQL_TYPES[type]}`);
  await engine.run(`CREATE OR REPLACE TABLE ${table} (${columns.join(', ')})`);
}

/** Appends rows, given by column, to a table of the engine. */
export async function appendColumns(
  engine: Engine,
  table: string,
  schema: ParquetSchema,
  columns: ParquetColumns,
): Promise<void> {
  const { BIGINT, DOUBLE, DuckDBDataChunk, INTEGER, VARCHAR } = await import('@duckdb/node-api');
  const engineTypes = { int32: INTEGER, int64: BIGINT, double: DOUBLE, string: VARCHAR };
  const numRows = assertColumnsFit(schema, columns);
  const names = Object.keys(schema);
  const appender = await engine.connection.createAppender(table);
  for (let from = 0; from < numRows; from += ROWS_PER_CHUNK) {
    const to = Math.min(from + ROWS_PER_CHUNK, numRows);
    const chunk = DuckDBDataChunk.create(
      names.map((name) => engineTypes[schema[name]]),
      to - from,
    );
    names.forEach((name, c) => {
      const cells = Array.from({ length: to - from }, (_, row) => columns[name][from + row]);
      chunk.setColumnValues(c, schema[name] === 'int64' ? cells.map(BigInt) : cells);
    });
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}

/** @throws when a cell is missing, a whole number is beyond 2^53, or the column is neither numbers nor text */
function plainColumn(file: string, name: string, type: string, cells: readonly unknown[]): Float64Array | string[] {
  const refuse = (what: string) => new Error(`${file}, column '${name}'${what}`);
  if (type !== 'VARCHAR' && !NUMBER_TYPE.test(type)) {
    throw refuse(` holds ${type}; expected numbers or text. A log of events with such columns is read by openEventLog`);
  }
  const missing = cells.findIndex((cell) => cell === null || cell === undefined);
  if (missing >= 0) throw refuse(`, row ${missing + 1}: the cell is missing; expected a value in every row`);
  if (type === 'VARCHAR') return cells.map(String);
  const numbers = Float64Array.from(cells, Number);
  if (/BIGINT/.test(type)) assertExact(numbers, file, name);
  return numbers;
}

/** @throws naming the file when it cannot be written */
export async function copyToParquet(engine: Engine, query: string, file: string, options = ''): Promise<void> {
  await engine.run(`COPY (${query}) TO ${sqlText(file)} (FORMAT parquet${options})`).catch((error: unknown) => {
    throw new Error(`${file}: cannot be written: ${messageOf(error).split('\n')[0]}`);
  });
}
