/** What a column holds. `int64` is for whole numbers up to 2^53, the range in which a JavaScript number is exact. */
export type ParquetColumnType = 'int32' | 'int64' | 'double' | 'string';

export type ParquetSchema = Readonly<Record<string, ParquetColumnType>>;

/** Columns of equal length; no cell is missing. */
export type ParquetColumns = Readonly<Record<string, ArrayLike<number> | readonly string[]>>;

export interface ParquetWriter {
  /** Appends rows, given by column. @throws when a column is missing or lengths differ */
  append(columns: ParquetColumns): Promise<void>;
  /** Writes the end of the file; before that it is not a Parquet file. */
  close(): Promise<void>;
}

/**
 * The port through which small flat tables go to and from Parquet. There are two stores, one contract test:
 * `duckdbStore` reads every dialect; `parquetjsStore` is pure JavaScript and refuses the dialects that it would misread.
 */
export interface ParquetStore {
  readonly name: 'duckdb' | 'parquetjs';
  openWriter(file: string, schema: ParquetSchema): Promise<ParquetWriter>;
  /** Every column: numbers as Float64Array, text as string[]. @throws when the store cannot read the file safely */
  read(file: string): Promise<Record<string, Float64Array | string[]>>;
}

/**
 * Checks the columns of one `append` against the schema.
 *
 * @returns number of rows
 * @throws naming the column
 */
export function assertColumnsFit(schema: ParquetSchema, columns: ParquetColumns): number {
  const names = Object.keys(schema);
  const numRows = columns[names[0]]?.length ?? 0;
  for (const name of names) {
    const column = columns[name];
    if (column === undefined) throw new Error(`ParquetWriter.append: column '${name}' is missing`);
    if (column.length !== numRows) {
      throw new Error(
        `ParquetWriter.append: column '${name}' has ${column.length} rows, but '${names[0]}' has ${numRows}`,
      );
    }
    if (schema[name] !== 'int32' && schema[name] !== 'int64') continue;
    const limit = schema[name] === 'int32' ? 2_147_483_647 : Number.MAX_SAFE_INTEGER;
    for (let row = 0; row < numRows; row++) {
      const value = Number(column[row]);
      if (!Number.isInteger(value) || Math.abs(value) > limit) {
        throw new Error(`ParquetWriter.append: column '${name}', row ${row}: ${column[row]} is not an ${schema[name]}`);
      }
    }
  }
  return numRows;
}

/** @throws when a whole number of a 64-bit column is beyond 2^53, where different numbers become equal */
export function assertExact(numbers: Float64Array, file: string, name: string): void {
  const row = numbers.findIndex((value) => Math.abs(value) > Number.MAX_SAFE_INTEGER);
  if (row >= 0) {
    throw new Error(
      `${file}, column '${name}', row ${row + 1}: a whole number beyond 2^53 cannot be held exactly; write the column as text`,
    );
  }
}
