import { FIRST_ITEM_ID } from '@nimue/batch';
import { type Engine, openEngine, rawDoubles, rawInts, sqlName, sqlText } from '../read/engine.ts';
import type { ItemVocabulary } from '../vocabulary/item-vocabulary.ts';

/** What becomes of an item without a vector. */
export type MissingVector = 'zeros' | 'mean' | 'error';

/** Vectors by raw item id, such as pretrained text or image embeddings. */
export class ItemVectors {
  /** Width of every vector. */
  readonly size: number;
  readonly #rowOf: ReadonlyMap<string, number>;
  readonly #values: Float32Array;

  /**
   * @param values vectors one after another [itemIds · size]
   * @throws when an item comes twice, a number is not finite, or the lengths do not fit
   */
  constructor(itemIds: readonly string[], values: Float32Array, where: string) {
    this.size = itemIds.length === 0 ? 0 : values.length / itemIds.length;
    this.#values = values;
    this.#rowOf = new Map(itemIds.map((id, row) => [id, row]));
    if (itemIds.length === 0 || !Number.isInteger(this.size) || this.size === 0) {
      throw new Error(`${where}: ${itemIds.length} items and ${values.length} numbers; expected vectors of one width`);
    }
    if (this.#rowOf.size < itemIds.length) {
      const twice = itemIds.find((id, row) => this.#rowOf.get(id) !== row);
      throw new Error(`${where}: item '${twice}' has more than one vector`);
    }
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new Error(
        `${where}: item '${itemIds[Math.floor(bad / this.size)]}' has a vector with ${values[bad]} in it`,
      );
    }
  }

  /** The items that have a vector. */
  get itemIds(): string[] {
    return [...this.#rowOf.keys()];
  }

  /** A view of the item's vector; undefined when it has none. */
  get(itemId: string): Float32Array | undefined {
    const row = this.#rowOf.get(itemId);
    return row === undefined ? undefined : this.#values.subarray(row * this.size, (row + 1) * this.size);
  }

  /** Mean of all vectors. */
  mean(): Float32Array {
    const sums = new Float64Array(this.size);
    for (let i = 0; i < this.#values.length; i++) sums[i % this.size] += this.#values[i];
    return Float32Array.from(sums, (sum) => sum / this.#rowOf.size);
  }

  /** @throws when the item has no vector and the rule says so */
  getOr(itemId: string, missing: MissingVector, mean: Float32Array): Float32Array {
    const vector = this.get(itemId);
    if (vector) return vector;
    if (missing === 'error') throw new Error(`item '${itemId}' has no pretrained vector; set missing to zeros or mean`);
    return missing === 'mean' ? mean : new Float32Array(this.size);
  }

  /**
   * The vectors as rows of a model's item table [rows × size]; the reserved rows are zeros.
   *
   * @throws when an item has no vector and the rule says so
   */
  tableFor(
    vocabulary: Pick<ItemVocabulary, 'size' | 'codeOf'>,
    rawItemId: (code: number) => string,
    missing: MissingVector = 'zeros',
  ): Float32Array {
    const table = new Float32Array(vocabulary.size * this.size);
    const mean = this.mean();
    for (let id = FIRST_ITEM_ID; id < vocabulary.size; id++) {
      table.set(this.getOr(rawItemId(vocabulary.codeOf(id)), missing, mean), id * this.size);
    }
    return table;
  }
}

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
