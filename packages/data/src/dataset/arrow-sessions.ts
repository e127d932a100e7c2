import type * as Arrow from 'apache-arrow';
import type { Sessions } from './sessions.ts';

/** Says in the table's metadata that `timestamp_ms` are places in the session. */
const ONLY_ORDER = 'nimue:hasOnlyOrder';
const SESSION_COLUMNS = { session_key: 'sessionKeys', full_length: 'fullLengths' } as const;

/**
 * Sessions as an Arrow table, one row per session: `item_code` List<Int32>, `timestamp_ms` List<Float64>, the columns that are
 * carried along as List<Float64> under their names, and, where they are known, `session_key` and `full_length` Int32. Values and
 * offsets are the sessions' own arrays, not copies.
 *
 * @param sessions [S] sessions of [T] events
 * @returns a table of S rows, ready for `tableToIPC` or any other Arrow consumer
 *
 * @example
 * const table = await sessionsToArrow(await dataset.read(0, 'train'));
 * const sessions = await sessionsFromArrow(table); // views of the same memory
 */
export async function sessionsToArrow(sessions: Sessions): Promise<Arrow.Table> {
  const arrow = await import('apache-arrow');
  const length = sessions.offsets.length - 1;
  const list = (name: string, type: Arrow.DataType, values: Int32Array | Float64Array) => {
    const child = arrow.makeData({ type, length: values.length, data: values } as Parameters<typeof arrow.makeData>[0]);
    const field = new arrow.Field(name, type, false);
    const data = arrow.makeData({ type: new arrow.List(field), length, valueOffsets: sessions.offsets, child });
    return arrow.makeVector(data);
  };
  const columns: Record<string, Arrow.Vector> = {
    item_code: list('item_code', new arrow.Int32(), sessions.itemCodes),
    timestamp_ms: list('timestamp_ms', new arrow.Float64(), sessions.timestampsMs),
  };
  for (const [name, values] of Object.entries(sessions.columns ?? {})) {
    columns[name] = list(name, new arrow.Float64(), values);
  }
  for (const [name, key] of Object.entries(SESSION_COLUMNS)) {
    const values = sessions[key];
    if (values) columns[name] = arrow.makeVector(arrow.makeData({ type: new arrow.Int32(), length, data: values }));
  }
  const table = new arrow.Table(columns);
  if (!sessions.hasOnlyOrder) return table;
  const schema = new arrow.Schema(table.schema.fields, new Map([[ONLY_ORDER, 'true']]));
  return new arrow.Table(
    schema,
    table.batches.map((batch) => new arrow.RecordBatch(schema, batch.data)),
  );
}

/**
 * The sessions of an Arrow table with the columns of `sessionsToArrow`. A table in one chunk is viewed without copying;
 * several chunks are laid end to end.
 *
 * @throws when a column is missing, has another type or missing cells, or the lists of a row differ in length
 */
export async function sessionsFromArrow(table: Arrow.Table): Promise<Sessions> {
  const items = listColumn(table, 'item_code', 'Int32');
  const lists = (name: string): Float64Array => {
    const { values, offsets } = listColumn(table, name, 'Float64');
    for (let s = 0; s < items.offsets.length; s++) {
      if (items.offsets[s] !== offsets[s]) {
        throw new Error(`sessionsFromArrow: row ${Math.max(0, s - 1)}: item_code and ${name} differ in length`);
      }
    }
    return values as Float64Array;
  };
  const carried = table.schema.names.map(String).filter((name) => /^(number|text):/.test(name));
  const timestampsMs = lists('timestamp_ms');
  return {
    itemCodes: items.values as Int32Array,
    offsets: items.offsets,
    timestampsMs,
    ...(table.schema.metadata.get(ONLY_ORDER) === 'true' && { hasOnlyOrder: true }),
    ...(carried.length > 0 && { columns: Object.fromEntries(carried.map((name) => [name, lists(name)])) }),
    ...sessionColumns(table),
  };
}

function sessionColumns(table: Arrow.Table): Pick<Sessions, 'sessionKeys' | 'fullLengths'> {
  const found = Object.entries(SESSION_COLUMNS).flatMap(([name, key]) => {
    const column = table.getChild(name);
    if (!column) return [];
    if (`${column.type}` !== 'Int32' || column.nullCount > 0) {
      throw new Error(
        `sessionsFromArrow: column '${name}': expected Int32 without missing cells, got ${column.type}, ${column.nullCount} missing`,
      );
    }
    return [[key, column.toArray() as Int32Array] as const];
  });
  return Object.fromEntries(found);
}

interface ListColumn {
  readonly values: Int32Array | Float64Array;
  readonly offsets: Int32Array;
}

function listColumn(table: Arrow.Table, name: string, valueType: 'Int32' | 'Float64'): ListColumn {
  const column = table.getChild(name);
  const type = table.schema.fields.find((field) => field.name === name)?.type;
  if (!column || `${type}` !== `List<${valueType}>`) {
    const got = type ? `${type}` : `no such column (there are ${table.schema.names.join(', ')})`;
    throw new Error(`sessionsFromArrow: column '${name}': expected List<${valueType}>, got ${got}`);
  }
  if (column.nullCount > 0 || column.data.some((data) => data.children[0].nullCount > 0)) {
    throw new Error(`sessionsFromArrow: column '${name}' has missing cells; expected a value for every event`);
  }
  const chunks = column.data.map((data) => {
    const { valueOffsets } = data;
    const [from, to] = [valueOffsets[0], valueOffsets[data.length]];
    const values = data.children[0].values.subarray(from, to);
    const offsets = from === 0 ? valueOffsets.subarray(0, data.length + 1) : valueOffsets.map((o: number) => o - from);
    return { values, offsets: offsets.subarray(0, data.length + 1) } as ListColumn;
  });
  if (chunks.length === 1) return chunks[0];
  const values =
    valueType === 'Int32' ? new Int32Array(sum(chunks, 'values')) : new Float64Array(sum(chunks, 'values'));
  const offsets = new Int32Array(sum(chunks, 'offsets') - chunks.length + 1);
  let session = 0;
  let event = 0;
  for (const chunk of chunks) {
    values.set(chunk.values, event);
    for (let s = 1; s < chunk.offsets.length; s++) offsets[session + s] = event + chunk.offsets[s];
    session += chunk.offsets.length - 1;
    event += chunk.values.length;
  }
  return { values, offsets };
}

function sum(chunks: readonly ListColumn[], part: keyof ListColumn): number {
  return chunks.reduce((total, chunk) => total + chunk[part].length, 0);
}
