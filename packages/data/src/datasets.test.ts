import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { amazonBeauty, generatedShop, globo, lastfmArtists, ml1m } from './datasets.ts';
import type { DatasetSpec } from './index.ts';
import {
  countSessions,
  datasetSchema,
  parquetjsStore,
  prepareWindows,
  sessionsSchema,
  windowsSchema,
} from './index.ts';

const DATA = process.env.NIMUE_DATA ?? resolve('../shared/data');
const hasGlobo = existsSync(join(DATA, 'globo', 'clicks.parquet'));
const withGlobo = hasGlobo ? test : test.skip;
/** The whole log is 3 million clicks; a busy machine needs its time. */
const TIMEOUT_MS = 300_000;
const reason = hasGlobo ? '' : ` (skipped: ${join(DATA, 'globo')} is not there; set NIMUE_DATA)`;

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'nimue-datasets-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function prepare(spec: DatasetSpec, folder: string, change: { dataset?: object; windows?: object } = {}) {
  return prepareWindows({
    dataset: datasetSchema.parse({ ...spec.dataset(folder), ...change.dataset }),
    sessions: sessionsSchema.parse(spec.sessions),
    windows: windowsSchema.parse({ ...spec.windows, ...change.windows }),
    directory,
  });
}

test('globo: a small sample and its answer', async () => {
  const folder = join(directory, 'sample');
  mkdirSync(join(folder, 'globo'), { recursive: true });
  const writer = await parquetjsStore.openWriter(join(folder, 'globo', 'clicks.parquet'), {
    user_id: 'int32',
    session_id: 'int64',
    session_start: 'int64',
    click_article_id: 'int32',
    click_timestamp: 'int64',
  });
  const start = Date.UTC(2017, 9, 1, 2, 50);
  await writer.append({
    user_id: [0, 0, 1, 1, 2, 2],
    session_id: [
      1506825423271737, 1506825423271737, 1506825426267738, 1506825426267738, 1506833000000001, 1506833000000001,
    ],
    session_start: [start, start, start + 1, start + 1, start + 7_500_000, start + 7_500_000],
    click_article_id: [157541, 68866, 235840, 157541, 68866, 96663],
    click_timestamp: [
      start + 900_000,
      start + 960_000,
      start + 700_000,
      start + 600_000,
      start + 7_600_000,
      start + 7_600_000,
    ],
  });
  await writer.close();
  const dataset = await prepare(globo, folder);
  expect(dataset.windows.map(({ id, numSessions, numEvents }) => [id, numSessions, numEvents])).toEqual([
    ['2017-10-01T02', 2, 4],
    ['2017-10-01T03', 0, 0],
    ['2017-10-01T04', 1, 2],
  ]);
  const items = async (w: number) =>
    Array.from((await dataset.read(w, 'train')).itemCodes, (code) => dataset.rawItemId(code));
  expect(await items(0)).toEqual(['157541', '68866', '157541', '235840']);
  expect(await items(1)).toEqual([]);
  expect(await items(2)).toEqual(['68866', '96663']);
  dataset.close();
});

test('generatedShop: a small shop and its answer', async () => {
  const shop = { days: 3, sessionsPerDay: 60, numItems: 300, newItemsPerDay: 5, seed: 3 };
  const dataset = await prepare(generatedShop, '', { dataset: shop });
  expect(dataset.windows.map(({ id, numSessions }) => [id, numSessions])).toEqual([
    ['2024-01-01', 60],
    ['2024-01-02', 60],
    ['2024-01-03', 60],
  ]);
  expect(dataset.counts.numEvents).toBe(dataset.windows.reduce((sum, { numEvents }) => sum + numEvents, 0));
  expect(countSessions(await dataset.read(2, 'valid')) + countSessions(await dataset.read(2, 'test'))).toBe(60);
  dataset.close();
});

withGlobo(
  `globo: the whole log has its known counts${reason}`,
  async () => {
    const dataset = await prepare(globo, DATA);
    expect(dataset.counts).toMatchObject({
      numSessions: 1_048_594,
      numEvents: 2_988_181,
      numItems: 46_033,
      numMissingEvents: 0,
    });
    expect(dataset.numRawItems).toBe(46_033);
    expect(dataset.windows).toHaveLength(386);
    expect(dataset.windows[0].id).toBe('2017-10-01T02');
    expect(dataset.windows.filter(({ numSessions }) => numSessions === 0).map(({ id }) => id)).toEqual([
      '2017-10-05T07',
    ]);
    expect(countSessions(await dataset.read(1, 'train'))).toBe(dataset.windows[1].numSessions);
    dataset.close();
  },
  TIMEOUT_MS,
);

withGlobo(
  `globo: the first 48 hours are the same as in the whole log${reason}`,
  async () => {
    const dataset = await prepare(globo, DATA, { windows: { count: 48 } });
    expect(dataset.windows).toHaveLength(48);
    expect(dataset.counts).toMatchObject({ numSessions: 156_330, numEvents: 431_661, numSessionsOutside: 0 });
    const whole = await prepare(globo, DATA);
    expect(whole.windows.slice(0, 48)).toEqual(dataset.windows);
    dataset.close();
    whole.close();
  },
  TIMEOUT_MS,
);

const SEQUENCES = [
  { name: 'ml1m', spec: ml1m, sample: '1 10\n1 3\n2 3\n1 7\n2 10\n', users: 6040, items: 3416, events: 999_611 },
  {
    name: 'amazonBeauty',
    spec: amazonBeauty,
    sample: '1 10 3 7\n2 3 10\n',
    users: 22_363,
    items: 12_101,
    events: 198_502,
  },
  { name: 'lastfmArtists', spec: lastfmArtists, sample: '1 10 3 7\n2 3 10', users: 1090, items: 3646, events: 52_551 },
] as const;

test.each(SEQUENCES)('$name: a small sample and its answer', async ({ name, spec, sample }) => {
  const folder = join(directory, `sample-${name}`);
  const { files } = spec.dataset(folder) as { files: string };
  mkdirSync(dirname(files), { recursive: true });
  writeFileSync(files, gzipSync(sample));
  const dataset = await prepare(spec, folder);
  const { itemCodes, offsets, hasOnlyOrder } = await dataset.read(0, 'train');
  const sequences = Array.from({ length: offsets.length - 1 }, (_, s) =>
    Array.from(itemCodes.subarray(offsets[s], offsets[s + 1]), (code) => dataset.rawItemId(code)).join(' '),
  );
  expect(sequences).toEqual(['10 3 7', '3 10']);
  expect([dataset.hasTimes, hasOnlyOrder]).toEqual([false, true]);
  dataset.close();
});

test.each([
  ['12\n', "line 1: expected 'user item item …' with a space or tab between them, got '12'"],
  ['1 2 3\n\n2\n', "line 3: expected 'user item item …'"],
  ['', 'the file is empty'],
  ['1 2  3\n', "column 'item' (item) is empty; 1 such row"],
])('sequences: refuses %j', async (text, message) => {
  const folder = join(directory, 'refused');
  mkdirSync(join(folder, 'amazon-beauty'), { recursive: true });
  writeFileSync(join(folder, 'amazon-beauty', 'Beauty.txt.gz'), gzipSync(text));
  await expect(prepare(amazonBeauty, folder)).rejects.toThrow(message);
});

for (const { name, spec, users, items, events } of SEQUENCES) {
  const { files } = spec.dataset(DATA) as { files: string };
  const isThere = existsSync(files);
  (isThere ? test : test.skip)(
    `${name}: the whole file has its known counts${isThere ? '' : ` (skipped: ${files} is not there; set NIMUE_DATA)`}`,
    async () => {
      const dataset = await prepare(spec, DATA);
      expect(dataset.counts).toMatchObject({
        numSessions: users,
        numKeptSessions: users,
        numEvents: events,
        numItems: items,
      });
      dataset.close();
    },
    TIMEOUT_MS,
  );
}
