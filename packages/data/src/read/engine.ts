import type { DuckDBConnection, DuckDBDataChunk, DuckDBInstance, DuckDBVector } from '@duckdb/node-api';

export interface EngineOptions {
  /** Database file, which also lets tables leave memory. Default: in memory. */
  readonly databaseFile?: string;
  /** Where sorts and joins spill to. */
  readonly spillDirectory?: string;
  /** Such as `500MB`. Default `1GB`. */
  readonly memoryLimit?: string;
  readonly threads?: number;
  /** IANA zone of written dates without one. Default `UTC`. */
  readonly timeZone?: string;
}

/** How far the engine runs ahead of whoever reads a stream. With its default, 1 MB, two threads wait half of the time. */
const STREAM_BUFFER = '64MB';

/** DuckDB, loaded on first use. Close it. */
export interface Engine {
  readonly connection: DuckDBConnection;
  run(sql: string): Promise<void>;
  /** A small result as plain objects; 64-bit integers are bigint. */
  rows(sql: string): Promise<Record<string, unknown>[]>;
  /** A large result, chunk by chunk, in the query's order. */
  stream(sql: string): AsyncGenerator<DuckDBDataChunk>;
  close(): void;
}

/** @throws when DuckDB's native module is missing, or the database file cannot be created */
export async function openEngine(options: EngineOptions = {}): Promise<Engine> {
  const { DuckDBInstance: Instance } = await import('@duckdb/node-api');
  const settings: Record<string, string> = {
    memory_limit: options.memoryLimit ?? '1GB',
    autoinstall_known_extensions: 'false',
    ...(options.threads && { threads: String(options.threads) }),
    ...(options.spillDirectory && { temp_directory: options.spillDirectory }),
  };
  const instance: DuckDBInstance = await Instance.create(options.databaseFile ?? ':memory:', settings);
  const connection = await instance.connect();
  const setZone = `SET TimeZone = ${sqlText(options.timeZone ?? 'UTC')}`;
  await connection.run(setZone);
  return {
    connection,
    async run(sql) {
      await connection.run(sql);
    },
    async rows(sql) {
      const reader = await connection.runAndReadAll(sql);
      return reader.getRowObjects();
    },
    async *stream(sql) {
      // A connection has one open result at a time, so every stream gets its own.
      const own = await instance.connect();
      try {
        await own.run(setZone);
        await own.run(`SET streaming_buffer_size = '${STREAM_BUFFER}'`);
        // The engine works on the next chunk while this one is looked at; no order is promised but that of ORDER BY.
        const result = await own.stream(sql);
        let next = result.fetchChunk();
        for (let chunk = await next; chunk && chunk.rowCount > 0; chunk = await next) {
          next = result.fetchChunk();
          // Whoever stops early never learns of its failure.
          next.catch(() => undefined);
          yield chunk;
        }
      } finally {
        own.closeSync();
      }
    },
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** A text as an SQL literal. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A column or table name in SQL. */
export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * The engine's own memory behind an INTEGER or DOUBLE vector: read it before the next chunk is fetched.
 *
 * @throws when the vector holds something else
 */
export function rawNumbers(vector: DuckDBVector): Int32Array | Float64Array {
  const items: unknown = 'items' in vector ? vector.items : undefined;
  if (items instanceof Int32Array || items instanceof Float64Array) return items;
  throw new Error(`rawNumbers: expected an INTEGER or DOUBLE vector, got ${vector.type}`);
}

/** `rawNumbers` of a column that is INTEGER by its query. */
export function rawInts(vector: DuckDBVector): Int32Array {
  const items = rawNumbers(vector);
  if (items instanceof Int32Array) return items;
  throw new Error('rawInts: expected an INTEGER vector, got DOUBLE');
}

/** `rawNumbers` of a column that is DOUBLE by its query. */
export function rawDoubles(vector: DuckDBVector): Float64Array {
  const items = rawNumbers(vector);
  if (items instanceof Float64Array) return items;
  throw new Error('rawDoubles: expected a DOUBLE vector, got INTEGER');
}

/** The halves, lower first, of a column that is UBIGINT by its query [2 · rows]. Signed, since a processor has no cheap way from unsigned to double. */
export function rawHashes(vector: DuckDBVector): Int32Array {
  const items: unknown = 'items' in vector ? vector.items : undefined;
  if (items instanceof BigUint64Array) return new Int32Array(items.buffer, items.byteOffset, 2 * items.length);
  throw new Error(`rawHashes: expected a UBIGINT vector, got ${vector.type}`);
}

/** What a caught value says. */
export function messageOf(error: unknown): string {
  // Errors of Node itself are not always instances of this realm's Error.
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
}
