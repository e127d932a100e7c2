import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { openEngine } from '../read/engine.ts';
import { openParquetWriter, readParquet } from './choose-store.ts';
import { duckdbStore } from './duckdb-store.ts';
import { parquetjsStore } from './parquetjs-store.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'nimue-parquet-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const SCHEMA = { code: 'int32', time: 'int64', price: 'double', name: 'string' } as const;
const rows = (from: number, count: number) => {
  const numbers = Array.from({ length: count }, (_, i) => from + i);
  return {
    code: Int32Array.from(numbers),
    time: numbers.map((n) => 2 ** 53 - 2 - n),
    price: Float64Array.from(numbers, (n) => n / 3),
    name: numbers.map((n) => `ítem ${n % 300}`),
  };
};

const STORES = [duckdbStore, parquetjsStore];
const PAIRS = STORES.flatMap((writer) => STORES.map((reader) => ({ writer, reader })));

test.each(PAIRS)('what $writer.name writes, $reader.name reads', async ({ writer, reader }) => {
  const file = join(root, `${writer.name}-${reader.name}.parquet`);
  const open = await writer.openWriter(file, SCHEMA);
  await open.append(rows(0, 1));
  await open.append(rows(1, 66_000));
  await open.close();
  const expected = rows(0, 66_001);
  const columns = await reader.read(file);
  expect(columns.code).toEqual(Float64Array.from(expected.code));
  expect(columns.time).toEqual(Float64Array.from(expected.time));
  expect(columns.price).toEqual(expected.price);
  expect(columns.name).toEqual(expected.name);
});

test.each(STORES)('$name: refuses what does not fit', async (store) => {
  const writer = await store.openWriter(join(root, `bad-${store.name}.parquet`), SCHEMA);
  const { name, ...rest } = rows(0, 3);
  await expect(writer.append(rest)).rejects.toThrow("column 'name' is missing");
  await expect(writer.append({ ...rest, name: name.slice(1) })).rejects.toThrow("'name' has 2 rows, but 'code' has 3");
  await expect(writer.append({ ...rest, name, code: [1, 2.5, 3] })).rejects.toThrow(
    "'code', row 1: 2.5 is not an int32",
  );
  await expect(writer.append({ ...rest, name, time: [1, 2, 2 ** 60] })).rejects.toThrow("'time', row 2");
  await writer.close();
});

test('parquetjs refuses the files that it would misread', async () => {
  const engine = await openEngine();
  const file = join(root, 'foreign.parquet');
  const refused = async (query: string, options = '') => {
    await engine.run(`COPY (${query}) TO '${file}' (FORMAT parquet${options})`);
    return expect(parquetjsStore.read(file)).rejects;
  };
  await (await refused('SELECT range % 500 AS n FROM range(5000)')).toThrow(
    /column 'n': .*cannot be trusted to read; read it with duckdbStore/,
  );
  await (await refused("SELECT 'a' || (range % 9) AS s FROM range(5000)")).toThrow('read it with duckdbStore');
  await (await refused("SELECT TIMESTAMP '2020-01-01' AS t")).toThrow('read it with duckdbStore');
  await (await refused('SELECT [1, 2] AS l')).toThrow('read it with duckdbStore');
  await (await refused('SELECT 1.5::DOUBLE AS n', ', COMPRESSION zstd')).toThrow('read it with duckdbStore');
  await expect(parquetjsStore.read(resolve(root, 'none.parquet'))).rejects.toThrow('cannot open it');
  await expect(duckdbStore.read(resolve(root, 'none.parquet'))).rejects.toThrow('cannot be read as Parquet');
  engine.close();
});

test.each(STORES)('$name: an empty table, text that is empty, one row, infinities', async (store) => {
  const file = join(root, `odd-${store.name}.parquet`);
  const writer = await store.openWriter(file, SCHEMA);
  await writer.append({ code: [], time: [], price: [], name: [] });
  await writer.append({ code: [-2147483647], time: [-1], price: [-0.5], name: [''] });
  await writer.append({ code: [0], time: [0], price: [Number.NEGATIVE_INFINITY], name: ['\u{1F600}\n,"'] });
  await writer.close();
  for (const reader of STORES) {
    expect(await reader.read(file)).toEqual({
      code: Float64Array.of(-2147483647, 0),
      time: Float64Array.of(-1, 0),
      price: Float64Array.of(-0.5, Number.NEGATIVE_INFINITY),
      name: ['', '\u{1F600}\n,"'],
    });
  }
});

test.each(STORES)(
  '$name: a missing cell, and a whole number beyond 2^53, are never read as another value',
  async (store) => {
    const engine = await openEngine();
    const file = join(root, `cells-${store.name}.parquet`);
    const write = (query: string) =>
      engine.run(`COPY (${query}) TO '${file}' (FORMAT parquet, DICTIONARY_SIZE_LIMIT 1, PARQUET_VERSION V1)`);
    await write('SELECT unnest([1, NULL, 3])::INTEGER AS n');
    await expect(store.read(file)).rejects.toThrow(/column 'n'.*missing; expected a value in every row/);
    await write('SELECT unnest([1, 9007199254740993])::BIGINT AS n');
    await expect(store.read(file)).rejects.toThrow("column 'n', row 2: a whole number beyond 2^53");
    engine.close();
  },
);

test.each(STORES)('$name: a full disk is an error, while rows are appended or at the end', async (store) => {
  const writeAll = async () => {
    const writer = await store.openWriter('/dev/full', SCHEMA);
    await writer.append(rows(0, 70_000));
    await writer.close();
  };
  await expect(writeAll()).rejects.toThrow(/\/dev\/full: cannot be written: .*(ENOSPC|No space left)/);
});

test('duckdb names a column that is neither numbers nor text', async () => {
  const engine = await openEngine();
  const file = join(root, 'list.parquet');
  await engine.run(`COPY (SELECT [1, 2] AS l) TO '${file}' (FORMAT parquet)`);
  await expect(duckdbStore.read(file)).rejects.toThrow("column 'l' holds INTEGER[]; expected numbers or text");
  engine.close();
});

test('the store is chosen by size and by what can be read safely, or forced', async () => {
  const writtenBy = async (options: Parameters<typeof openParquetWriter>[2]) => {
    const file = join(root, 'chosen.parquet');
    const writer = await openParquetWriter(file, SCHEMA, options);
    await writer.append(rows(0, 3));
    await writer.close();
    expect((await readParquet(file)).name).toEqual(['ítem 0', 'ítem 1', 'ítem 2']);
    return readFileSync(file).includes('DuckDB') ? 'duckdb' : 'parquetjs';
  };
  expect(await writtenBy({ numRows: 3 })).toBe('parquetjs');
  expect(await writtenBy({})).toBe('duckdb');
  expect(await writtenBy({ numRows: 3, store: 'duckdb' })).toBe('duckdb');
  expect(await writtenBy({ store: 'parquetjs' })).toBe('parquetjs');

  // A dictionary with more than 255 entries: what parquetjs-lite would misread goes to DuckDB, or is refused when forced.
  const engine = await openEngine();
  const file = join(root, 'dictionary.parquet');
  await engine.run(`COPY (SELECT range % 300 AS n FROM range(3000)) TO '${file}' (FORMAT parquet)`);
  engine.close();
  expect((await readParquet(file)).n).toEqual(Float64Array.from({ length: 3000 }, (_, i) => i % 300));
  await expect(readParquet(file, { store: 'parquetjs' })).rejects.toThrow('read it with duckdbStore');
  await expect(readParquet(join(root, 'none.parquet'))).rejects.toThrow('none.parquet: cannot be read as Parquet');
});
