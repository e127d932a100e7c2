import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { datasetSchema } from '../read/dataset-schema.ts';
import { sessionsSchema } from '../sessions/sessions-schema.ts';
import { windowsSchema } from '../windows/windows-schema.ts';
import { openPrepared, type PreparedDataset } from './open-prepared.ts';
import { prepareWindows } from './prepare-windows.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'nimue-prepare-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

let fileNumber = 0;
function write(content: string | Buffer, ending = 'csv'): string {
  const file = join(root, `log${fileNumber++}.${ending}`);
  writeFileSync(file, content);
  return file;
}

const COLUMNS = { session: 'sid', item: 'item', timestamp: 'time' };

interface Change {
  dataset?: object;
  sessions?: object;
  windows?: object;
  directory?: string;
}

function prepare(files: string, change: Change = {}): Promise<PreparedDataset> {
  return prepareWindows({
    dataset: datasetSchema.parse({ files, columns: COLUMNS, ...change.dataset } as never),
    sessions: sessionsSchema.parse({ ...change.sessions }),
    windows: windowsSchema.parse({ span: 'day', ...change.windows }),
    directory: change.directory ?? join(root, 'prepared'),
  });
}

/** Sessions of a window as raw ids. */
async function sessionsOf(dataset: PreparedDataset, window: number): Promise<string[][]> {
  const { itemCodes, offsets } = await dataset.read(window, 'train');
  return Array.from({ length: offsets.length - 1 }, (_, s) =>
    Array.from(itemCodes.subarray(offsets[s], offsets[s + 1]), (code) => dataset.rawItemId(code)),
  );
}

const T = Date.UTC(2024, 0, 1, 10) / 1000;
const GOOD = `sid,item,time
b,x,${T + 60}
a,x,${T}
a,y,${T + 30}
b,z,${T + 60}
c,007,${T + 2 * 86400}
c,9223372036854775807,${T + 2 * 86400 + 5}
`;

test('a log becomes windows: unsorted and equal times, ids kept exactly, an empty day', async () => {
  const dataset = await prepare(write(GOOD));
  expect(dataset.windows.map(({ id, numSessions, numEvents }) => [id, numSessions, numEvents])).toEqual([
    ['2024-01-01', 2, 4],
    ['2024-01-02', 0, 0],
    ['2024-01-03', 1, 2],
  ]);
  expect(await sessionsOf(dataset, 0)).toEqual([
    ['x', 'y'],
    ['x', 'z'],
  ]);
  expect(await sessionsOf(dataset, 1)).toEqual([]);
  expect(await sessionsOf(dataset, 2)).toEqual([['007', '9223372036854775807']]);
  expect(['x', 'y', 'z', '007'].map((id) => dataset.itemCode(id))).toEqual([0, 1, 2, 3]);
  expect(dataset.itemCode('nothing')).toBeUndefined();
  expect([...(await dataset.read(0, 'train')).timestampsMs].map((ms) => ms / 1000 - T)).toEqual([0, 30, 60, 60]);
  expect(dataset.counts).toMatchObject({ numEvents: 6, numItems: 5, numSessions: 3, numKeptSessions: 3 });
  expect(readdirSync(dataset.directory).sort()).toEqual(['2024-01-01', '2024-01-03', 'items.parquet', 'manifest.json']);
  await expect(dataset.read(3, 'train')).rejects.toThrow('read: there is no window 3; windows are 0 … 2');
  expect(() => dataset.rawItemId(99)).toThrow('no item has code 99; codes are 0 … 4');
  dataset.close();
});

test.each([
  ['TSV', GOOD.replaceAll(',', '\t'), 'tsv', {}],
  ['semicolons', GOOD.replaceAll(',', ';'), 'csv', {}],
  ['another separator', GOOD.replaceAll(',', '~'), 'txt', { separator: '~' }],
  ['gzip', gzipSync(GOOD), 'csv.gz', {}],
  ['byte order mark and CRLF', `\uFEFF${GOOD.replaceAll('\n', '\r\n')}`, 'csv', {}],
  ['no header', GOOD.slice(GOOD.indexOf('\n') + 1), 'csv', { header: ['sid', 'item', 'time'] }],
  ['written dates', GOOD.replace(/\d{10}$/gm, (s) => new Date(Number(s) * 1000).toISOString()), 'csv', {}],
  [
    'dates with a zone name',
    GOOD.replace(/\d{10}$/gm, (s) => `${new Date(Number(s) * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC`),
    'csv',
    {},
  ],
  ['microseconds', GOOD.replace(/\d{10}$/gm, (s) => `${s}000000`), 'csv', {}],
  ['milliseconds, said', GOOD.replace(/\d{10}$/gm, (s) => `${s}000`), 'csv', { timeUnit: 'ms' }],
])('reads %s', async (_name, content, ending, change) => {
  const dataset = await prepare(write(content, ending), { dataset: change });
  expect(await sessionsOf(dataset, 0)).toEqual([
    ['x', 'y'],
    ['x', 'z'],
  ]);
  expect(await sessionsOf(dataset, 2)).toEqual([['007', '9223372036854775807']]);
  expect((await dataset.read(0, 'train')).timestampsMs[0]).toBe(T * 1000);
  dataset.close();
});

test('quotes may hold separators and ends of line; several files are one log', async () => {
  const folder = join(root, 'several');
  mkdirSync(folder);
  writeFileSync(join(folder, '1.csv'), `sid,item,time\na,"x,\n""1""",${T}\n`);
  writeFileSync(join(folder, '2.csv'), `sid,item,time\na,y,${T + 1}\n`);
  for (const files of [folder, join(folder, '*.csv')]) {
    const dataset = await prepare(files, { directory: join(root, files === folder ? 'from-folder' : 'from-glob') });
    expect(await sessionsOf(dataset, 0)).toEqual([['x,\n"1"', 'y']]);
    dataset.close();
  }
});

test('by user: an inactivity gap ends a session', async () => {
  const file = write(`user,item,time\nu,a,${T}\nu,b,${T + 1800}\nu,c,${T + 3601}\nu,d,${T + 3602}\nv,a,${T}\n`);
  const dataset = await prepare(file, {
    dataset: { columns: { user: 'user', item: 'item', timestamp: 'time' } },
    sessions: { by: 'user' },
  });
  expect(await sessionsOf(dataset, 0)).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]);
  expect(dataset.counts).toMatchObject({ numSessions: 3, numShortSessions: 1 });
  dataset.close();
});

test('bounds: sessions that start outside are left out, sessions that run over the end are whole', async () => {
  const day = 86400;
  const log = `sid,item,time\na,1,${T}\na,2,${T + 5}\nb,1,${T + day}\nb,3,${T + 2 * day}\nc,4,${T + 2 * day}\nc,5,${T + 2 * day + 1}\n`;
  const bounded = await prepare(write(log), { windows: { first: '2024-01-02', count: 1 } });
  expect(bounded.windows.map(({ id }) => id)).toEqual(['2024-01-02']);
  expect(await sessionsOf(bounded, 0)).toEqual([['1', '3']]);
  expect(bounded.counts).toMatchObject({ numEvents: 2, numItems: 2, numSessions: 1, numSessionsOutside: 0 });
  bounded.close();

  const users = `sid,item,time\nu,1,${T - 5}\nu,2,${T + 5}\nu,3,${T + 6000}\nu,4,${T + 6001}\n`;
  const byUser = await prepare(write(users), {
    dataset: { columns: { user: 'sid', item: 'item', timestamp: 'time' } },
    sessions: { by: 'user' },
    windows: { span: 'hour', first: '2024-01-01T10' },
  });
  expect(await sessionsOf(byUser, 1)).toEqual([['3', '4']]);
  expect(byUser.counts).toMatchObject({ numSessions: 2, numSessionsOutside: 1 });
  byUser.close();
});

test('onMissing: drop leaves events out and counts them', async () => {
  const file = write(`${GOOD}a,,${T + 40}\na,NaN,${T + 41}\n,q,${T + 42}\na,w,\na,v,soon\n`);
  const dataset = await prepare(file, { dataset: { onMissing: 'drop' } });
  expect(await sessionsOf(dataset, 0)).toEqual([
    ['x', 'y'],
    ['x', 'z'],
  ]);
  expect(dataset.counts).toMatchObject({ numEvents: 6, numMissingEvents: 5 });
  dataset.close();
});

test.each<[string, string | Buffer, Change, string]>([
  ['an empty file', '', {}, 'the file is empty; expected a header line and events'],
  ['a header only', 'sid,item,time\n', {}, 'the log is empty; expected at least one event'],
  [
    'a missing column',
    GOOD.replace('sid', 'session_id'),
    { dataset: { columns: { ...COLUMNS, session: 'sesion_id' } } },
    "has the columns 'session_id', 'item', 'time', but no 'sesion_id'; did you mean 'session_id'?",
  ],
  [
    'no session column',
    GOOD,
    { dataset: { columns: { item: 'item', timestamp: 'time' } } },
    "dataset.columns.session: missing, but sessions.by is 'session'",
  ],
  [
    'a column mapped twice',
    GOOD,
    { dataset: { columns: { ...COLUMNS, item: 'sid' } } },
    "'sid' is mapped twice, as session and as item",
  ],
  [
    'one-click sessions only',
    `sid,item,time\na,x,${T}\nb,y,${T}\n`,
    {},
    'every session has 1 event after grouping by session id (2 sessions from 2 events); minLength is 2',
  ],
  ['too few cells', `${GOOD}a,b\n`, {}, 'line 8: expected 3 cells, got 2: a,b'],
  ['too many cells', `${GOOD}a,b,${T},4\n`, {}, 'line 8: expected 3 cells, got 4'],
  ['an open quote', `${GOOD}a,"b,${T}\n`, {}, 'line 8: a quote is opened but not closed'],
  [
    'bytes that are not UTF-8',
    Buffer.concat([Buffer.from(GOOD), Buffer.from([97, 44, 0xe9]), Buffer.from(`,${T}\n`)]),
    {},
    'bytes that are not UTF-8',
  ],
  [
    'an empty item',
    `${GOOD}a,,${T}\na,,${T}\n`,
    {},
    "row 7 after the header: column 'item' (item) is empty; 2 such rows",
  ],
  [
    'a NaN item',
    `${GOOD}a,NaN,${T}\n`,
    {},
    "row 7 after the header: column 'item' (item) is NaN, which is no id; 1 such row",
  ],
  ['an empty time', `${GOOD}a,b,\n`, {}, "row 7 after the header: column 'time' (timestamp) is empty"],
  ['a time that is no time', `${GOOD}a,b,later\n`, {}, "is 'later', which cannot be read as a number"],
  ['an empty session id', `${GOOD},b,${T}\n`, {}, "column 'sid' (session) is empty"],
  [
    'seconds read as milliseconds',
    GOOD,
    { dataset: { timeUnit: 'ms' } },
    "1970-01-20T17:21:43.200Z is not between 1990 and 2100; the time unit is probably wrong: timeUnit 's' (seconds) would fit",
  ],
  [
    'milliseconds read as seconds',
    GOOD.replace(/\d{10}$/gm, '$&000'),
    { dataset: { timeUnit: 's' } },
    "the year 55971 is not between 1990 and 2100; the time unit is probably wrong: timeUnit 'ms' (milliseconds) would fit",
  ],
  [
    'one time far away',
    `${GOOD}a,b,99999999999\n`,
    {},
    "row 7 after the header, column 'time': times read as seconds run from 2024-01-01T10:00:00Z to 5138-11-16T09:46:39Z",
  ],
  [
    'a time that is still to come',
    `${GOOD}a,b,4070908800\n`,
    {},
    "row 7 after the header, column 'time': times read as seconds run from 2024-01-01T10:00:00Z to 2099-01-01T00:00:00Z, " +
      "and 2099-01-01T00:00:00Z is still to come; correct the file, or set dataset.futureTimes to 'allow'",
  ],
  [
    'a negative time',
    `${GOOD}a,b,-5\n`,
    { dataset: { timeUnit: 's' } },
    "row 7 after the header, column 'time': times read as seconds run from 1969-12-31T23:59:55Z to 2024-01-03T10:00:05Z, and 1969-12-31T23:59:55Z is not between 1990 and 2100",
  ],
  [
    'bounds without sessions',
    GOOD,
    { windows: { first: '2024-01-02', last: '2024-01-02' } },
    'no session starts in the windows 2024-01-02 to 2024-01-02',
  ],
  ['a repeated header name', GOOD.replace('item', 'sid'), {}, "column 'sid' occurs twice in the header"],
  ['a wrong number of header names', GOOD, { dataset: { header: ['a', 'b'] } }, 'dataset.header: 2 names given, but'],
])('refuses %s', async (_name, content, change, message) => {
  const directory = join(root, 'refused');
  const file = write(content);
  await expect(prepare(file, { ...change, directory })).rejects.toThrow(message);
  if (existsSync(directory)) expect(readdirSync(directory)).toEqual([]);
});

test('times to come are read where they are allowed', async () => {
  const dataset = await prepare(write(GOOD.replaceAll(String(T).slice(0, 3), '407')), {
    dataset: { futureTimes: 'allow' },
  });
  expect(dataset.windows[0].id).toMatch(/^2099-/);
  dataset.close();
});

test('refuses missing, truncated and foreign files, naming them', async () => {
  const file = write(GOOD, 'near.csv');
  await expect(prepare(file.replace('near', 'naer'))).rejects.toThrow(
    /naer\.csv does not exist; did you mean 'log\d+\.near\.csv'\?/,
  );
  await expect(prepare(join(root, 'no-folder', 'x.csv'))).rejects.toThrow('no-folder does not exist either');
  await expect(prepare(join(root, '*.nothing'))).rejects.toThrow('no file matches');
  const rows = Array.from({ length: 5000 }, (_, i) => `s${i % 9},i${i % 7},${T + i}\n`).join('');
  const packed = gzipSync(`sid,item,time\n${rows}`);
  await expect(prepare(write(packed.subarray(0, packed.length >> 1), 'csv.gz'))).rejects.toThrow(
    'the gzip file is cut off',
  );
  await expect(prepare(write(packed.subarray(0, packed.length - 4), 'csv.gz'))).rejects.toThrow(
    'the gzip file is cut off',
  );
  await expect(prepare(write(GOOD, 'csv.gz'))).rejects.toThrow('not a gzip file although its name ends with .gz');
  await expect(prepare(write(GOOD, 'parquet'))).rejects.toThrow(
    'not a Parquet file (it begins with "sid,", expected "PAR1")',
  );
  await expect(prepare(write('PAR1 and then nothing more', 'parquet'))).rejects.toThrow('the Parquet file is cut off');
  await expect(prepare(write(GOOD, 'unknown'))).rejects.toThrow('cannot tell the format');
  await expect(prepare(file, { directory: file })).rejects.toThrow('choose another folder');
});

test('refuses a folder that cannot be written', async () => {
  const directory = join(root, 'read-only');
  mkdirSync(directory);
  chmodSync(directory, 0o500);
  // The superuser may write anywhere, but not below a file.
  const below = process.getuid?.() === 0 ? join(write('a file'), 'below') : join(directory, 'below');
  const attempt = prepare(write(GOOD), { directory: below });
  await expect(attempt).rejects.toThrow(/cannot write to .*; choose another folder/);
});

test('what was prepared is reused, and prepared anew when the log or an option changes', async () => {
  const directory = join(root, 'reuse');
  const file = write(GOOD);
  const first = await prepare(file, { directory });
  const made = statSync(join(first.directory, 'manifest.json')).mtimeMs;
  const again = await prepare(file, { directory });
  expect(again.directory).toBe(first.directory);
  expect(statSync(join(again.directory, 'manifest.json')).mtimeMs).toBe(made);
  const copy = join(root, 'moved', basename(file));
  mkdirSync(join(root, 'moved'));
  copyFileSync(file, copy);
  const moved = await prepare(copy, { directory });
  expect(moved.directory).toBe(first.directory);
  const other = await prepare(file, { directory, sessions: { minLength: 1 } });
  expect(other.directory).not.toBe(first.directory);
  writeFileSync(file, `${GOOD}c,x,${T + 2 * 86400 + 6}\n`);
  const changed = await prepare(file, { directory });
  expect(await sessionsOf(changed, 2)).toEqual([['007', '9223372036854775807', 'x']]);
  expect(await sessionsOf(first, 2)).toEqual([['007', '9223372036854775807']]);
  for (const dataset of [first, again, moved, other, changed]) dataset.close();
});

test('a failing preparation leaves an earlier one as it was and nothing half-written', async () => {
  const directory = join(root, 'failing');
  const file = write(GOOD);
  const good = await prepare(file, { directory });
  const before = readFileSync(join(good.directory, '2024-01-01', 'train.parquet'));
  writeFileSync(file, `${GOOD}broken\n`);
  await expect(prepare(file, { directory })).rejects.toThrow('line 8');
  expect(readdirSync(directory)).toEqual([good.directory.slice(directory.length + 1)]);
  expect(readFileSync(join(good.directory, '2024-01-01', 'train.parquet')).equals(before)).toBe(true);
  const reopened = await openPrepared(good.directory);
  expect(await sessionsOf(reopened, 0)).toEqual([
    ['x', 'y'],
    ['x', 'z'],
  ]);
  good.close();
  reopened.close();
});

test('a folder without its manifest, or with a short file, is not taken for whole and is made again', async () => {
  const directory = join(root, 'half');
  const file = write(GOOD);
  const first = await prepare(file, { directory });
  first.close();
  rmSync(join(first.directory, 'manifest.json'));
  await expect(openPrepared(first.directory)).rejects.toThrow('has no readable manifest.json, so it is not complete');
  const second = await prepare(file, { directory });
  second.close();
  expect(second.directory).toBe(first.directory);
  truncateSync(join(second.directory, '2024-01-03', 'train.parquet'), 10);
  await expect(openPrepared(second.directory)).rejects.toThrow(/train\.parquet has 10 bytes, expected \d+/);
  const third = await prepare(file, { directory });
  expect(await sessionsOf(third, 2)).toEqual([['007', '9223372036854775807']]);
  expect(readdirSync(directory)).toHaveLength(1);
  third.close();
});

test('what a killed preparation left is removed after a day, what may be at work is not', async () => {
  const directory = join(root, 'abandoned');
  const [old, recent] = ['.preparing-old-1', '.preparing-recent-2'].map((name) => join(directory, name));
  for (const folder of [old, recent]) mkdirSync(folder, { recursive: true });
  const twoDaysAgo = Date.now() / 1000 - 2 * 86400;
  utimesSync(old, twoDaysAgo, twoDaysAgo);
  (await prepare(write(GOOD), { directory })).close();
  expect([existsSync(old), existsSync(recent)]).toEqual([false, true]);
});

test('the division into valid and test depends on session ids, not on the order of the log', async () => {
  const lines = Array.from({ length: 400 }, (_, i) => `s${i >> 1},i${i % 13},${T + i}`);
  const forward = await prepare(write(`sid,item,time\n${lines.join('\n')}\n`));
  const backward = await prepare(write(`sid,item,time\n${lines.reverse().join('\n')}\n`));
  for (const split of ['train', 'valid', 'test'] as const) {
    expect(await forward.read(0, split)).toEqual(await backward.read(0, split));
  }
  const sizes = await Promise.all(
    (['train', 'valid', 'test'] as const).map(async (split) => (await forward.read(0, split)).offsets.length - 1),
  );
  expect(sizes[0]).toBe(200);
  expect(sizes[1] + sizes[2]).toBe(200);
  expect(Math.abs(sizes[1] - 100)).toBeLessThan(30);
  forward.close();
  backward.close();
});

test('two preparations of the same log at the same time end in one folder', async () => {
  const directory = join(root, 'at-once');
  const file = write(GOOD);
  const both = await Promise.all([prepare(file, { directory }), prepare(file, { directory })]);
  expect(both[0].directory).toBe(both[1].directory);
  expect(readdirSync(directory)).toHaveLength(1);
  for (const dataset of both) {
    expect(await sessionsOf(dataset, 2)).toEqual([['007', '9223372036854775807']]);
    dataset.close();
  }
});

test('a log that changes while it is read is refused', async () => {
  const directory = join(root, 'changing');
  const file = write(GOOD);
  const attempt = prepareWindows({
    dataset: datasetSchema.parse({ files: file, columns: COLUMNS } as never),
    sessions: sessionsSchema.parse({}),
    windows: windowsSchema.parse({ span: 'day' }),
    directory,
    onProgress: ({ stage }) => {
      if (stage === 'write') utimesSync(file, 1, 1);
    },
  });
  await expect(attempt).rejects.toThrow('was changed while it was being read; run again when it is complete');
  expect(readdirSync(directory)).toEqual([]);
});
