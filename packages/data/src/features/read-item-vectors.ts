import { type Engine, openEngine, rawDoubles, rawInts, sqlName, sqlText } from '../read/engine.ts';
import { ItemVectors } from './item-vectors.ts';

/**
 * Reads vectors from a Parquet or CSV file: a column of item ids, and either one column of lists or one column of numbers per
 * dimension.
 *
 * @throws when the file cannot be read, a column is missing, or the vectors differ in width
 */
export async function readItemVectors(file: string, itemColumn = 'item_id'): Promise<ItemVectors> {
  const engine = await openEngine();
  try {
    return await readWith(engine, file, itemColumn);
  } finally {
    engine.close();
  }
}

async function readWith(engine: Engine, file: string, itemColumn: string): Promise<ItemVectors> {
  const { DuckDBListVector } = await import('@duckdb/node-api');
  const isParquet = /\.(parquet|pq)$/i.test(file);
  const relation = isParquet
    ? `read_parquet(${sqlText(file)})`
    : `read_csv(${sqlText(file)}, header = true, all_varchar = true)`;
  const described = await engine.rows(`DESCRIBE SELECT * FROM ${relation}`).catch((error: Error) => {
    throw new Error(`${file}: cannot be read: ${error.message.split('\n')[0]}`);
  });
  const columns = described.map((row) => ({ name: String(row.column_name), type: String(row.column_type) }));
  const others = columns.filter(({ name }) => name !== itemColumn);
  if (others.length === columns.length || others.length === 0) {
    const names = columns.map(({ name }) => `'${name}'`).join(', ');
    throw new Error(`${file}: expected a column '${itemColumn}' of item ids and columns of numbers, got ${names}`);
  }
  const isList = others.length === 1 && others[0].type.endsWith('[]');
  const vector = isList
    ? `CAST(${sqlName(others[0].name)} AS DOUBLE[])`
    : `list_value(${others.map(({ name }) => `CAST(${sqlName(name)} AS DOUBLE)`).join(', ')})`;
  const itemIds: string[] = [];
  const parts: Float32Array[] = [];
  let size = -1;
  const sql = `SELECT CAST(${sqlName(itemColumn)} AS VARCHAR), ${vector}, CAST(list_count(${vector}) AS INTEGER) FROM ${relation}`;
  for await (const chunk of engine.stream(sql)) {
    const lists = chunk.getColumnVector(1);
    if (!(lists instanceof DuckDBListVector)) throw new Error(`${file}: expected a column of lists`);
    const values = rawDoubles(lists.childVector);
    const present = rawInts(chunk.getColumnVector(2));
    for (const [row, id] of chunk.getColumnValues(0).entries()) {
      const [from, length] = [lists.getEntryOffset(row), lists.getEntryLength(row)];
      size = size < 0 ? length : size;
      if (id === null || length !== size || present[row] !== length) {
        throw new Error(`${file}: item '${id}' has ${present[row]} numbers, expected ${size} and an id`);
      }
      itemIds.push(String(id));
      parts.push(Float32Array.from(values.subarray(from, from + length)));
    }
  }
  const all = new Float32Array(itemIds.length * Math.max(0, size));
  for (const [row, part] of parts.entries()) all.set(part, row * size);
  return new ItemVectors(itemIds, all, file);
}
