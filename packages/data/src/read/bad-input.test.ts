import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { filesDatasetSchema } from './dataset-schema.ts';
import { openEngine } from './engine.ts';
import { openEventLog } from './event-log.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nimue-bad-input-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const COLUMNS = { session: 's', item: 'i', timestamp: 't' };

async function read(name: string, content: string | Uint8Array, options: object = {}) {
  const file = join(folder, name);
  writeFileSync(file, content);
  return readFile(file, options);
}

/** Items by session, in order. */
async function readFile(file: string, options: object = {}) {
  const dataset = filesDatasetSchema.parse({ files: file, columns: COLUMNS, ...options });
  const log = await openEventLog(dataset, { by: 'session', temporaryDirectory: mkdtempSync(join(folder, 'engine-')) });
  try {
    await log.select();
    const items = await log.itemIds();
    const ids: string[] = [];
    for await (const chunk of log.keys()) ids.push(...chunk.map(({ id }) => id));
    const sessions: Record<string, string[]> = {};
    for await (const chunk of log.events()) {
      for (let e = 0; e < chunk.length; e++) {
        const id = ids[chunk.keys[e]];
        sessions[id] = [...(sessions[id] ?? []), items[chunk.itemCodes[e]]];
      }
    }
    return sessions;
  } finally {
    log.close();
  }
}

const CSV = 's,i,t\na,x,1506826800000\na,y,1506826801000\n';

/** The rows of `CSV` many times over, as DuckDB's zstd writes them. */
async function zstdCsv(numRows: number): Promise<Buffer> {
  const engine = await openEngine();
  const file = join(folder, 'written.csv.zst');
  await engine.run(
    `COPY (SELECT 'a' AS s, hash(range) AS i, 1506826800000 + range AS t FROM range(${numRows})) TO '${file}' (FORMAT csv, HEADER, COMPRESSION zstd)`,
  );
  engine.close();
  return readFileSync(file);
}

test('zstd is read; a file that is cut off anywhere, or is none, is refused', async () => {
  const packed = await zstdCsv(20_000);
  expect((await read('log.csv.zst', packed)).a).toHaveLength(20_000);
  for (const share of [0.2, 0.9, 1]) {
    const length = Math.min(packed.length - 1, Math.floor(packed.length * share));
    await expect(read('cut.csv.zst', packed.subarray(0, length))).rejects.toThrow(
      /cut\.csv\.zst: the zstd file is cut off; copy or download it again/,
    );
  }
  await expect(read('plain.csv.zst', CSV)).rejects.toThrow(
    'plain.csv.zst: not a zstd file although its name ends with .zst; check the download',
  );
});

test('gzip: cut off, damaged, none', async () => {
  const packed = gzipSync(CSV.repeat(1));
  await expect(read('cut.csv.gz', packed.subarray(0, packed.length - 9))).rejects.toThrow(
    'cut.csv.gz: the gzip file is cut off',
  );
  await expect(read('plain.csv.gz', CSV)).rejects.toThrow('not a gzip file although its name ends with .gz');
});

test('a time that is NaN has its own word', async () => {
  await expect(read('nan.csv', `${CSV}b,x,NaN\n`)).rejects.toThrow(
    "nan.csv, row 3 after the header: column 't' (timestamp) is NaN, which is no time; 1 such row. Correct the file",
  );
  await expect(read('empty.csv', `${CSV}b,x,\n`)).rejects.toThrow("column 't' (timestamp) is empty; 1 such row");
  const engine = await openEngine();
  const file = join(folder, 'nan.parquet');
  await engine.run(
    `COPY (SELECT 'a' AS s, 'x' AS i, unnest([1506826800.0, 'nan'::DOUBLE]) AS t) TO '${file}' (FORMAT parquet)`,
  );
  engine.close();
  await expect(readFile(file)).rejects.toThrow(
    "nan.parquet, row 2: column 't' (timestamp) is NaN, which is no time; 1 such row",
  );
});

test('ids beyond 2^53 stay exact', async () => {
  const text =
    's,i,t\n9007199254740993,18446744073709551615,1506826800000\n9007199254740992,18446744073709551614,1506826800000\n';
  expect(await read('big.csv', text)).toEqual({
    '9007199254740993': ['18446744073709551615'],
    '9007199254740992': ['18446744073709551614'],
  });
  const json = '{"s":9007199254740993,"i":18446744073709551615,"t":1506826800}\n';
  expect(await read('big.jsonl', json)).toEqual({ '9007199254740993': ['18446744073709551615'] });
});

test('quotes, separators and ends of lines in cells; a BOM; other separators', async () => {
  expect(await read('quoted.csv', '\uFEFFs,i,t\r\na,"x ""1"", y\nz",1506826800000\r\n')).toEqual({
    a: ['x "1", y\nz'],
  });
  expect(await read('letters.tsv', 's\ti\tt\na\t"x\t1506826800000\na\ty"\t1506826801000\n', { quote: 'none' })).toEqual(
    {
      a: ['"x', 'y"'],
    },
  );
  expect(await read('colons.dat', 's::i::t\na::x:y::1506826800000\n', { separator: '::' })).toEqual({ a: ['x:y'] });
});

test('text that is not UTF-8 is refused with its line', async () => {
  await expect(
    read('latin1.csv', Buffer.from('s,i,t\na,x,1506826800000\na,caf\xe9,1506826801000\n', 'latin1')),
  ).rejects.toThrow(/latin1\.csv.*UTF-8/);
});

test('JSON lines: a line that is cut off, or holds another type, is named', async () => {
  const line = '{"s":"a","i":"x","t":1506826800}\n';
  await expect(read('cut.jsonl', `${line}{"s":"a","i":`)).rejects.toThrow(
    /cut\.jsonl, line 2: expected a JSON object, got '\{"s":"a","i":'/,
  );
  await expect(read('array.jsonl', '[1]\n')).rejects.toThrow("array.jsonl, line 1: expected a JSON object, got '[1]'");
  const mixed = `${line}{"s":7,"i":12,"t":1506826801}\n`;
  expect(await read('mixed.jsonl', mixed)).toEqual({ a: ['x'], '7': ['12'] });
  await expect(read('none.jsonl', '')).rejects.toThrow(
    'none.jsonl: the file is empty; expected one JSON object a line',
  );
});

test('times made of several columns: what cannot be read is refused, and so is a name that is taken', async () => {
  const derivedTimes = { time: { year: 'y', month: 'm', day: 'd' } };
  const columns = { ...COLUMNS, timestamp: 'time' };
  const text = 's,i,y,m,d\na,x,2008,4,1\na,y,2008,2,30\n';
  await expect(read('date.csv', text, { derivedTimes, columns })).rejects.toThrow(
    "date.csv, row 2 after the header: column 'time' (timestamp) is empty",
  );
  await expect(read('taken.csv', text, { derivedTimes: { y: derivedTimes.time }, columns })).rejects.toThrow(
    'dataset.derivedTimes.y: ',
  );
  await expect(
    read('part.csv', text, { derivedTimes: { time: { year: 'yy', month: 'm', day: 'd' } }, columns }),
  ).rejects.toThrow("but no 'yy'");
});

test('lists of different lengths are refused', async () => {
  const engine = await openEngine();
  const file = join(folder, 'lists.parquet');
  await engine.run(
    `COPY (SELECT * FROM (VALUES ('a', ['x', 'y'], [1506826800, 1506826801]), ('b', ['x', 'y'], [1506826800])) v(s, i, t)) TO '${file}' (FORMAT parquet)`,
  );
  engine.close();
  await expect(readFile(file)).rejects.toThrow(
    "lists.parquet, row 2: the list 't' (timestamp) is not as long as 'i' (item); expected one value per event",
  );
});
