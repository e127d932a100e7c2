import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { openEngine } from '../read/engine.ts';
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

test.each(PAIRS.filter(({ writer, reader }) => writer === parquetjsStore || reader === duckdbStore))(
  'what $writer.name writes, $reader.name reads',
  async ({ writer, reader }) => {
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
  },
);

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
