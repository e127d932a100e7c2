import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RawColumn } from '../dataset/raw-columns.ts';
import { datasetSchema, filesDatasetSchema } from './dataset-schema.ts';
import { openEngine } from './engine.ts';
import { openEventLog } from './event-log.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nimue-column-types-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const T = 1_506_826_800_000;

/** Items by session, in order. */
async function itemsOf(file: string, options: object, columns?: readonly RawColumn[]): Promise<Record<string, string>> {
  const dataset = filesDatasetSchema.parse({
    files: file,
    columns: { session: 's', item: 'i', timestamp: 't' },
    ...options,
  });
  const log = await openEventLog(dataset, {
    by: 'session',
    columns,
    temporaryDirectory: mkdtempSync(join(folder, 'engine-')),
  });
  try {
    await log.select();
    const ids: string[] = [];
    for await (const chunk of log.keys()) ids.push(...chunk.map(({ id }) => id));
    const items = await log.itemIds();
    const sessions: Record<string, string> = {};
    for await (const chunk of log.events()) {
      for (let e = 0; e < chunk.length; e++) {
        const id = ids[chunk.keys[e]];
        sessions[id] = `${sessions[id] ?? ''} ${items[chunk.itemCodes[e]]}`.trim();
      }
    }
    return sessions;
  } finally {
    log.close();
  }
}

function written(name: string, ...rows: string[]): string {
  const file = join(folder, name);
  writeFileSync(file, `s,i,t\n${rows.join('\n')}\n`);
  return file;
}

async function parquet(select: string): Promise<string> {
  const file = join(folder, 'log.parquet');
  const engine = await openEngine();
  await engine.run(`COPY (${select}) TO '${file}' (FORMAT parquet)`);
  engine.close();
  return file;
}

test('text: 007 is not 7 as a string, and the same item as an integer', async () => {
  const file = written('ids.csv', `a,007,${T}`, `a,7,${T + 1}`, `a,+7,${T + 2}`, `a,07,${T + 3}`);
  const asString = { a: '007 7 +7 07' };
  expect(await itemsOf(file, {})).toEqual(asString);
  expect(await itemsOf(file, { columnTypes: { i: 'string' } })).toEqual(asString);
  expect(await itemsOf(file, { columnTypes: { i: 'integer' } })).toEqual({ a: '7 7 7 7' });
});

test('integers of more than 64 bits stay exact', async () => {
  const ids = ['18446744073709551615', '18446744073709551616', '9007199254740993', '-9223372036854775809'];
  const file = written('big.csv', ...ids.map((id, i) => `a,${id},${T + i}`));
  expect(await itemsOf(file, { columnTypes: { i: 'integer' } })).toEqual({ a: ids.join(' ') });
});

test('a cell of another kind is refused with file, row and column; an empty one is missing', async () => {
  const file = written('bad.csv', `a,1,${T}`, `a,A12,${T + 1}`, `a,1.5,${T + 2}`);
  await expect(itemsOf(file, { columnTypes: { i: 'integer' } })).rejects.toThrow(
    `${file}, row 2 after the header: column 'i' is 'A12', expected a whole number (dataset.columnTypes); 2 such rows. Correct the file, or read the column as string`,
  );
  await expect(itemsOf(file, { columnTypes: { i: 'number' } })).rejects.toThrow(
    "column 'i' is 'A12', expected a number",
  );
  const second = written('second.csv', `b,1,${T}`, `b,1e3x,${T + 1}`);
  await expect(
    itemsOf('', { files: [written('first.csv', `a,1,${T}`), second], columnTypes: { i: 'number' } }),
  ).rejects.toThrow(`${second}, row 2 after the header: column 'i' is '1e3x'`);
  const empty = written('empty.csv', `a,1,${T}`, `a,,${T + 1}`, `a,2,${T + 2}`);
  await expect(itemsOf(empty, { columnTypes: { i: 'integer' } })).rejects.toThrow(
    "row 2 after the header: column 'i' (item) is empty",
  );
  expect(await itemsOf(empty, { columnTypes: { i: 'integer' }, onMissing: 'drop' })).toEqual({ a: '1 2' });
});

test('Parquet: whole numbers in floating point become integers, or are refused', async () => {
  const rows = (item: string) => `SELECT 'a' AS s, ${item} AS i, ${T} + range AS t FROM range(2)`;
  expect(await itemsOf(await parquet(rows('(range + 41)::DOUBLE')), { columnTypes: { i: 'integer' } })).toEqual({
    a: '41 42',
  });
  const exact = await parquet(rows('9007199254740993 + range'));
  expect(await itemsOf(exact, { columnTypes: { i: 'integer' } })).toEqual({ a: '9007199254740993 9007199254740994' });
  expect(await itemsOf(exact, { columnTypes: { i: 'string' } })).toEqual({ a: '9007199254740993 9007199254740994' });
  await expect(itemsOf(await parquet(rows('range + 0.5::DOUBLE')), { columnTypes: { i: 'integer' } })).rejects.toThrow(
    "row 1: column 'i' is '0.5', expected a whole number",
  );
  const beyond = await parquet(rows('9007199254740994::DOUBLE'));
  await expect(itemsOf(beyond, { columnTypes: { i: 'integer' } })).rejects.toThrow(
    "column 'i' is '9007199254740994.0', expected a whole number",
  );
  await expect(itemsOf(beyond, {})).rejects.toThrow('beyond 2^53');
  const list = await parquet(`SELECT 'a' AS s, 'x' AS i, ${T} AS t, [1, 2] AS l`);
  await expect(itemsOf(list, { columnTypes: { l: 'number' } })).rejects.toThrow(
    /columnTypes\.l: 'l' of .* has type INTEGER\[\], which cannot be read as number/,
  );
});

test('session ids in floating point beyond 2^53 are refused, since several would become one', async () => {
  const file = await parquet(`SELECT 9007199254740994::DOUBLE + 2 * range AS s, 'x' AS i, ${T} AS t FROM range(2)`);
  await expect(itemsOf(file, {})).rejects.toThrow(
    /column 's' holds ids as floating point, and 2 of them are beyond 2\^53/,
  );
});

test('a column that a feature reads as numbers is looked at cell by cell', async () => {
  const file = join(folder, 'prices.csv');
  writeFileSync(file, `s,i,t,price\na,x,${T},1.5\na,y,${T + 1},\na,z,${T + 2},cheap\n`);
  await expect(itemsOf(file, {}, [{ name: 'price', kind: 'number' }])).rejects.toThrow(
    `${file}, row 3 after the header: column 'price' is 'cheap', expected a number (a feature reads it); 1 such row`,
  );
});

test('columns that do not exist, and types that do not, are refused', async () => {
  const file = written('log.csv', `a,x,${T}`);
  await expect(itemsOf(file, { columnTypes: { ii: 'string' } })).rejects.toThrow(
    /dataset\.columnTypes\.ii: .* has the columns 's', 'i', 't', but no 'ii'; did you mean 'i'\?/,
  );
  expect(() =>
    datasetSchema.parse({ files: file, columns: { item: 'i' }, columnTypes: { i: 'int64' } } as never),
  ).toThrow(/columnTypes/);
});
