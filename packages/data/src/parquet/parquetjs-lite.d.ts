/** The part of parquetjs-lite that is used here; the package has no types of its own. */
declare module 'parquetjs-lite' {
  export interface FieldOptions {
    readonly type: 'INT32' | 'INT64' | 'DOUBLE' | 'UTF8';
    readonly compression?: 'SNAPPY' | 'GZIP' | 'UNCOMPRESSED';
    readonly statistics?: false;
  }
  export interface ColumnData {
    dlevels: number[];
    rlevels: number[];
    values: unknown[];
    distinct_values: Set<unknown>;
    count: number;
  }
  export interface RowBuffer {
    rowCount?: number;
    pageRowCount?: number;
    columnData?: Record<string, ColumnData>;
    pages?: Record<string, unknown[]>;
  }
  export interface ColumnChunk {
    readonly meta_data: {
      readonly path_in_schema: readonly string[];
      readonly encodings: readonly number[];
      readonly codec: number;
      readonly dictionary_page_offset: unknown;
    };
  }
  export interface RowGroup {
    readonly columns: readonly ColumnChunk[];
  }
  export class ParquetSchema {
    constructor(fields: Readonly<Record<string, FieldOptions>>);
    readonly fieldList: readonly {
      readonly name: string;
      readonly path: readonly string[];
      readonly primitiveType: string;
      readonly originalType?: string;
      readonly repetitionType: string;
      readonly isNested?: boolean;
    }[];
  }
  /** What the library needs of a stream. */
  export interface ByteSink {
    write(bytes: Uint8Array, done: (error?: Error) => void): void;
    end(done: (error?: Error) => void): void;
  }
  export class ParquetWriter {
    static openStream(
      schema: ParquetSchema,
      stream: ByteSink,
      options?: { pageSize?: number; rowGroupSize?: number },
    ): Promise<ParquetWriter>;
    readonly schema: ParquetSchema;
    rowBuffer: RowBuffer;
    readonly envelopeWriter: { writeRowGroup(rows: RowBuffer): Promise<void>; close(): Promise<void> };
    appendRow(row: Readonly<Record<string, unknown>>): Promise<void>;
    close(): Promise<void>;
  }
  export class ParquetReader {
    static openFile(path: string, options?: { rawStatistics?: boolean }): Promise<ParquetReader>;
    readonly metadata: { readonly row_groups: readonly RowGroup[] };
    readonly schema: ParquetSchema;
    readonly envelopeReader: {
      readRowGroup(
        schema: ParquetSchema,
        group: RowGroup,
        columns: readonly (readonly string[])[],
      ): Promise<{
        readonly rowCount: number;
        readonly columnData: Record<string, { readonly values?: readonly unknown[] }>;
      }>;
    };
    close(): Promise<void>;
  }
  /** A CommonJS module: Node offers its exports as the default. */
  const parquetjs: {
    readonly ParquetSchema: typeof ParquetSchema;
    readonly ParquetWriter: typeof ParquetWriter;
    readonly ParquetReader: typeof ParquetReader;
  };
  export default parquetjs;
}
