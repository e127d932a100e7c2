import type * as Arrow from 'apache-arrow';
import type { Sessions } from './sessions.ts';

/**
 * Sessions as an Arrow table, one row per session: `item_code` List<Int32>, `timestamp_ms` List<Float64>. Values and
 * offsets are the sessions' own arrays, not copies.
 *
 * @param sessions [S] sessions of [T] events
 * @returns a table of S rows, ready for `tableToIPC` or any other Arrow consumer
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
  return new arrow.Table({
    item_code: list('item_code', new arrow.Int32(), sessions.itemCodes),
    timestamp_ms: list('timestamp_ms', new arrow.Float64(), sessions.timestampsMs),
  });
}

/**
 * The sessions of an Arrow table with the columns of `sessionsToArrow`. A table in one chunk is viewed without copying;
 * several chunks are laid end to end.
 *
 * @throws when a column is missing or has another type, or the lists of a row differ in length
 */
export async function sessionsFromArrow(table: Arrow.Table): Promise<Sessions> {
  const items = listColumn(table, 'item_code', 'Int32');
  const times = listColumn(table, 'timestamp_ms', 'Float64');
  for (let s = 0; s < items.offsets.length; s++) {
    if (items.offsets[s] !== times.offsets[s]) {
      throw new Error(`sessionsFromArrow: row ${Math.max(0, s - 1)}: item_code and timestamp_ms differ in length`);
    }
  }
  return {
    itemCodes: items.values as Int32Array,
    offsets: items.offsets,
    timestampsMs: times.values as Float64Array,
  };
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
