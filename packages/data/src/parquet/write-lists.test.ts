import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEngine } from '../read/engine.ts';
import { encodeThrift } from './thrift-compact.ts';
import { writeListTable } from './write-lists.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nimue-lists-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('Thrift, by hand from the specification of the compact protocol', () => {
  // Field 1 of type i32 with zigzag 3 → 6; field 3 (two on) of type i64 with 300 → 600 = 0xd8 0x04; a text; a list; the end.
  const bytes = encodeThrift([
    [1, 'i32', 3],
    [3, 'i64', 300],
    [4, 'binary', 'ab'],
    [6, 'list', 'i32', [-1, 1]],
    [7, 'struct', [[2, 'i32', 0]]],
  ]);
  expect([...bytes]).toEqual([0x15, 6, 0x26, 0xd8, 4, 0x18, 2, 97, 98, 0x29, 0x25, 1, 2, 0x1c, 0x25, 0, 0, 0]);
  const long = encodeThrift([[1, 'list', 'i32', new Array<number>(20).fill(0)]]);
  expect([...long.subarray(0, 3)]).toEqual([0x19, 0xf5, 20]);
});

const rowsOf = (numRows: number, lengthOf: (row: number) => number) => {
  const offsets = new Int32Array(numRows + 1);
  for (let row = 0; row < numRows; row++) offsets[row + 1] = offsets[row] + lengthOf(row);
  const numEvents = offsets[numRows];
  return {
    ids: Array.from({ length: numRows }, (_, row) => `sessión ${row}`),
    numbers: Int32Array.from({ length: numRows }, (_, row) => row - 7),
    times: Float64Array.from({ length: numRows }, (_, row) => row / 3),
    offsets,
    items: Int32Array.from({ length: numEvents }, (_, e) => (e * 31) % 1000),
    values: Float64Array.from({ length: numEvents }, (_, e) => (e % 11 === 0 ? Number.NaN : e / 7)),
  };
};

async function write(file: string, rows: ReturnType<typeof rowsOf>): Promise<number> {
  const { ids, numbers, times, offsets, items, values } = rows;
  const valuesPerGroup = 500;
  return writeListTable(
    file,
    ids.length,
    [
      { name: 'id', values: ids },
      { name: 'number', values: numbers },
      { name: 'time', values: times },
      { name: 'items', values: items, offsets },
      { name: 'values', values, offsets },
    ],
    valuesPerGroup,
  );
}

test.each([
  ['no rows', 0, () => 1],
  ['one row of one event', 1, () => 1],
  ['lists of 1 to 9 events', 5000, (row: number) => 1 + ((row * row) % 9)],
  ['a list longer than a vector of the engine, and short ones', 30, (row: number) => (row === 3 ? 9000 : 2)],
  ['many row groups, lists larger than one', 3000, (row: number) => (row % 1000 === 5 ? 900 : 3)],
])('the engine reads what is written: %s', async (_name, numRows, lengthOf) => {
  const file = join(folder, 'lists.parquet');
  const rows = rowsOf(numRows, lengthOf);
  expect(await write(file, rows)).toBe(statSync(file).size);
  const engine = await openEngine();
  const [schema] = await engine.rows(
    `SELECT string_agg(column_name || ' ' || column_type, ', ') AS s FROM (DESCRIBE FROM '${file}')`,
  );
  expect(schema.s).toBe('id VARCHAR, number INTEGER, time DOUBLE, items INTEGER[], values DOUBLE[]');
  const found: { ids: unknown[]; numbers: unknown[]; times: unknown[]; lengths: number[] } = {
    ids: [],
    numbers: [],
    times: [],
    lengths: [],
  };
  for await (const chunk of engine.stream(`SELECT id, number, time, CAST(len(items) AS INTEGER) FROM '${file}'`)) {
    for (const [c, name] of (['ids', 'numbers', 'times', 'lengths'] as const).entries()) {
      for (const value of chunk.getColumnValues(c)) (found[name] as unknown[]).push(value);
    }
  }
  expect(found.ids).toEqual(rows.ids);
  expect(found.numbers).toEqual([...rows.numbers]);
  expect(found.times).toEqual([...rows.times]);
  expect(found.lengths).toEqual(Array.from({ length: numRows }, (_, row) => lengthOf(row)));
  const items: unknown[] = [];
  const values: unknown[] = [];
  for await (const chunk of engine.stream(`SELECT unnest(items), unnest("values") FROM '${file}'`)) {
    for (const value of chunk.getColumnValues(0)) items.push(value);
    for (const value of chunk.getColumnValues(1)) values.push(value);
  }
  expect(Int32Array.from(items as number[])).toEqual(rows.items);
  expect(Float64Array.from(values as number[])).toEqual(rows.values);
  engine.close();
});

test('an empty list, and a place that cannot be written, are refused with the file', async () => {
  await expect(
    write(
      join(folder, 'empty.parquet'),
      rowsOf(3, (row) => row),
    ),
  ).rejects.toThrow("empty.parquet: column 'items', row 0: an empty list");
  await expect(
    write(
      join(folder, 'none', 'x.parquet'),
      rowsOf(3, () => 2),
    ),
  ).rejects.toThrow(/x\.parquet: cannot be written: ENOENT/);
});

test('a full disk is named', async () => {
  await expect(
    write(
      '/dev/full',
      rowsOf(20, () => 30),
    ),
  ).rejects.toThrow('/dev/full: cannot be written: ENOSPC');
});

test('begins and ends as Parquet files do', async () => {
  const file = join(folder, 'magic.parquet');
  await write(
    file,
    rowsOf(2, () => 3),
  );
  const bytes = readFileSync(file);
  expect([bytes.toString('latin1', 0, 4), bytes.toString('latin1', bytes.length - 4)]).toEqual(['PAR1', 'PAR1']);
});
