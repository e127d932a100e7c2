import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import {
  datasetSchema,
  datasets,
  type PreparedDataset,
  prepareWindows,
  sessionsSchema,
  windowsSchema,
} from './index.ts';
import { openEngine } from './read/engine.ts';

const DATA = process.env.NIMUE_DATA ?? resolve('../shared/data');
const TIMEOUT_MS = 300_000;

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'nimue-samples-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

type SpecName = Exclude<keyof typeof datasets, 'generatedShop'>;

function prepare(spec: SpecName, path: string, change: { dataset?: object; sessions?: object } = {}) {
  return prepareWindows({
    dataset: datasetSchema.parse({ spec, path, ...change.dataset }),
    sessions: sessionsSchema.parse({ ...datasets[spec].sessions, ...change.sessions }),
    windows: windowsSchema.parse(datasets[spec].windows),
    directory,
  });
}

/** `window: item item`, a line per session, in order. */
async function sessionsOf(dataset: PreparedDataset): Promise<string[]> {
  const lines: string[] = [];
  for (const [w, { id }] of dataset.windows.entries()) {
    const { itemCodes, offsets } = await dataset.read(w, 'train');
    for (let s = 0; s + 1 < offsets.length; s++) {
      const items = Array.from(itemCodes.subarray(offsets[s], offsets[s + 1]), (code) => dataset.rawItemId(code));
      lines.push(`${id}: ${items.join(' ')}`);
    }
  }
  return lines.sort();
}

const REES46 =
  'event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session\n' +
  '2019-10-01 00:00:02 UTC,view,3900821,2053013552326770905,appliances.environment.water_heater,aqua,33.20,554748717,9333dfbd\n' +
  '2019-10-01 00:00:01 UTC,view,44600062,2103807459595387724,,shiseido,35.79,554748717,9333dfbd\n' +
  '2019-10-01 00:00:03 UTC,purchase,3900821,2053013552326770905,,,33.20,554748717,9333dfbd\n' +
  '2019-10-02 00:00:03 UTC,view,7,1,,,1.00,5,\n';
const RATINGS =
  'userId,movieId,rating,timestamp\n1,307,3.5,1256677221\n1,481,3.5,1256677456\n2,307,4.0,1192913551\n1,1,5,1256677000\n';
const MOVIELENS = ['log: 1 307 481', 'log: 307'];

const SAMPLES: readonly { name: SpecName; file: string; text: string; expected: readonly string[] }[] = [
  {
    name: 'rees46MultiCategory',
    file: 'rees46-multi-category/2019-Oct.csv',
    text: REES46,
    expected: ['2019-10-01: 44600062 3900821'],
  },
  {
    name: 'rees46Electronics',
    file: 'rees46-electronics/events.csv.gz',
    text: REES46,
    expected: ['2019-10-01: 44600062 3900821 3900821'],
  },
  {
    name: 'yoochoose',
    file: 'yoochoose/yoochoose-clicks.dat',
    text: '1,2014-04-07T10:54:09.868Z,214536500,0\n1,2014-04-07T10:51:09.277Z,214536502,0\n2,2014-04-08T13:56:37.614Z,214662742,0\n2,2014-04-08T13:57:19.373Z,214662742,S\n',
    expected: ['2014-04-07: 214536502 214536500', '2014-04-08: 214662742 214662742'],
  },
  {
    name: 'diginetica',
    file: 'diginetica/train-item-views.csv',
    text: 'sessionId;userId;itemId;timeframe;eventdate\n1;NA;81766;526309;2016-05-09\n1;NA;31331;1031018;2016-05-09\n1;NA;32118;243569;2016-05-09\n2;7;9;86399999;2016-05-10\n2;7;8;86400000;2016-05-10\n',
    expected: ['2016-05-09: 32118 81766 31331', '2016-05-10: 9 8'],
  },
  {
    name: 'retailrocket',
    file: 'retailrocket/events.csv',
    text: 'timestamp,visitorid,event,itemid,transactionid\n1433221332117,257597,view,355908,\n1433221999827,257597,view,248676,\n1433222000000,257597,addtocart,248676,\n1433225999827,257597,view,1,\n1433226000000,257597,view,2,\n',
    expected: ['2015-06-02: 1 2', '2015-06-02: 355908 248676'],
  },
  {
    name: 'lastfm1k',
    file: 'lastfm-1k/userid-timestamp-artid-artname-traid-traname.tsv',
    text: 'user_000001\t2009-05-04T23:08:57Z\tf1b1cf71\tDeep Dish\t\t"Heroes\nuser_000001\t2009-05-04T13:54:10Z\t\t坂本龍一\t\tComposition 0919 (Live_2009_4_15)\nuser_000001\t2009-05-04T13:52:04Z\ta7f7df4a\t"Weird Al" Yankovic\t\tMc2\n',
    expected: ['2009-05-04: "Weird Al" Yankovic 坂本龍一'],
  },
  {
    name: 'movielens1m',
    file: 'movielens-1m/ratings.dat',
    text: '1::1193::5::978300760\n1::661::3::978302109\n1::914::3::978301968\n2::661::4::978298413\n',
    expected: ['log: 1193 914 661', 'log: 661'],
  },
  { name: 'movielens20m', file: 'movielens-20m/ratings.csv', text: RATINGS, expected: MOVIELENS },
  { name: 'movielens25m', file: 'movielens-25m/ratings.csv', text: RATINGS, expected: MOVIELENS },
  { name: 'movielensLatest', file: 'movielens-latest/ratings.csv', text: RATINGS, expected: MOVIELENS },
  { name: 'movielensLatestSmall', file: 'movielens-latest-small/ratings.csv.gz', text: RATINGS, expected: MOVIELENS },
  {
    name: 'kion',
    file: 'kion/interactions.csv',
    text: 'user_id,item_id,last_watch_dt,total_dur,watched_pct\n176549,9506,2021-05-11,4250,72.0\n176549,1659,2021-05-10,8317,100.0\n176549,7,2021-05-11,10,0.0\n5,1,2021-05-11,10,\n',
    expected: ['log: 1659 9506 7'],
  },
  {
    name: 'amazonReviews',
    file: 'amazon-reviews/Beauty_5.json.gz',
    text:
      '{"overall": 5.0, "reviewerID": "A1YJEY40YUW4SE", "asin": "7806397051", "reviewText": "a \\"b\\"\\nc", "unixReviewTime": 1391040000}\n' +
      '{"overall": 1.0, "reviewerID": "A1YJEY40YUW4SE", "asin": "B00004TMFE", "style": {"Size:": " 1"}, "unixReviewTime": 1390000000}\n',
    expected: ['log: B00004TMFE 7806397051'],
  },
  {
    name: 'amazonRatings',
    file: 'amazon-ratings/ratings_Beauty.csv',
    text: 'A39HTATAQ9V7YF,0205616461,5.0,1369699200\nA3JM6GV9MNOF9X,0558925278,3.0,1355443200\nA39HTATAQ9V7YF,0558925278,5.0,1355443200\n',
    expected: ['log: 0558925278', 'log: 0558925278 0205616461'],
  },
  {
    name: 'eshop2008',
    file: 'eshop-2008/clicks.csv.gz',
    text:
      'year;month;day;order(sells);country;session ID;page 1 (main category);page 2 (clothing model);colour;location;model photography;price;price 2;page\n' +
      '2008;4;1;2;29;1;1;A16;1;6;1;33;2;1\n2008;4;1;1;29;1;1;A13;1;5;1;28;2;1\n2008;4;2;1;29;2;2;B10;2;6;1;67;1;1\n2008;4;2;2;29;2;2;B4;10;2;1;52;1;1\n',
    expected: ['2008-04-01: A13 A16', '2008-04-02: B10 B4'],
  },
];

test.each(SAMPLES)('$name: a small sample and its answer', async ({ name, file, text, expected }) => {
  const folder = join(directory, name);
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), file.endsWith('.gz') ? gzipSync(text) : text);
  const dataset = await prepare(name, folder);
  const lines = await sessionsOf(dataset);
  expect(lines.map((line) => line.replace(/^all:/, 'log:'))).toEqual(expected);
  dataset.close();
});

test('transformers4rec: a small sample and its answer', async () => {
  const folder = join(directory, 'transformers4rec');
  const engine = await openEngine();
  const day = async (d: number, part: string, rows: string) => {
    mkdirSync(join(folder, 'sessions_by_day', String(d)), { recursive: true });
    const file = join(folder, 'sessions_by_day', String(d), `${part}.parquet`);
    await engine.run(
      `COPY (SELECT * FROM (VALUES ${rows}) t(session_id, "item_id-list", "age_days-list", day_index)) TO '${file}'`,
    );
  };
  await day(1, 'train', '(70001, [3, 5, 3], [0.1, 0.2, 0.3], 1), (70002, [9], [0.5], 1)');
  await day(1, 'valid', '(70003, [5, 9], [0.1, 0.2], 1)');
  await day(1, 'test', '(70004, [1, 2], [0.1, 0.2], 1)');
  await day(2, 'train', '(70005, [8, 7], [0.1, 0.2], 2)');
  engine.close();
  const dataset = await prepare('transformers4rec', folder, {});
  expect(await sessionsOf(dataset)).toEqual([
    '2000-01-02: 1 2',
    '2000-01-02: 3 5 3',
    '2000-01-02: 5 9',
    '2000-01-03: 8 7',
  ]);
  dataset.close();
});

test('yoochoose64: a small sample and its answer', async () => {
  const folder = join(directory, 'yoochoose64');
  mkdirSync(join(folder, 'yoochoose-1-64'), { recursive: true });
  const write = (name: string, text: string) => writeFileSync(join(folder, 'yoochoose-1-64', name), gzipSync(text));
  write('train-sessions.txt.gz', '2612 33285 2612\n37151 120\n');
  write('test-prefixes.txt.gz', '33611 37169 6409\t33128\n33611 37169\t6409\n33611\t37169\n');
  const dataset = await prepare('yoochoose64', folder);
  // The first line of either file is a session of its own.
  expect(await sessionsOf(dataset)).toEqual([
    '2000-01-01: 2612 33285 2612',
    '2000-01-01: 37151 120',
    '2000-01-02: 33611 37169',
    '2000-01-02: 33611 37169 6409',
    '2000-01-02: 33611 37169 6409 33128',
  ]);
  const { timestampsMs } = await dataset.read(1, 'train');
  expect([...timestampsMs.subarray(3, 5)]).toEqual([Date.UTC(2000, 0, 2) + 1, Date.UTC(2000, 0, 2) + 2]);
  dataset.close();
  write('test-prefixes.txt.gz', '33611 37169\t6409\n\n7\t8\n  \n');
  await expect(prepare('yoochoose64', folder)).rejects.toThrow(
    /test-prefixes.txt.gz, line 4: expected 'item item …' with a space or tab between them, got ''/,
  );
});

test('sequences: other cells than user and item are refused', async () => {
  const file = join(directory, 'lines.txt');
  writeFileSync(file, '1 2 3\n');
  const dataset = {
    files: file,
    format: 'sequences',
    header: ['item', 'user'],
    columns: { user: 'user', item: 'item' },
  };
  await expect(
    prepareWindows({
      dataset: datasetSchema.parse(dataset),
      sessions: sessionsSchema.parse({ by: 'user', gapMinutes: 'none' }),
      windows: windowsSchema.parse({ span: 'all' }),
      directory,
    }),
  ).rejects.toThrow(
    "dataset.header: lines of sequences are 'user item item …', or with header: [item] 'item item …'; got [item, user]",
  );
});

test('every spec has a sample', () => {
  const elsewhere = [
    'amazonBeauty',
    'generatedShop',
    'globo',
    'lastfmArtists',
    'ml1m',
    'transformers4rec',
    'yoochoose64',
  ];
  expect([...SAMPLES.map(({ name }) => name), ...elsewhere].sort()).toEqual(Object.keys(datasets).sort());
});

const WHOLE = [
  { name: 'eshop2008', counts: { numSessions: 24_026, numEvents: 165_474, numItems: 217 } },
  { name: 'movielensLatestSmall', counts: { numSessions: 610, numEvents: 100_836, numItems: 9724 } },
  { name: 'rees46Electronics', counts: { numSessions: 27_903, numEvents: 103_193, numItems: 18_700 } },
] as const;

for (const { name, counts } of WHOLE) {
  const { files } = datasets[name].dataset(DATA) as { files: string };
  const isThere = existsSync(files);
  (isThere ? test : test.skip)(
    `${name}: the whole file has its known counts${isThere ? '' : ` (skipped: ${files} is not there; set NIMUE_DATA)`}`,
    async () => {
      const dataset = await prepare(name, DATA);
      expect(dataset.counts).toMatchObject(counts);
      dataset.close();
    },
    TIMEOUT_MS,
  );
}

const YOOCHOOSE = join(DATA, 'yoochoose-1-64');
(existsSync(YOOCHOOSE) ? test : test.skip)(
  `yoochoose64: every line is read as it stands${existsSync(YOOCHOOSE) ? '' : ` (skipped: ${YOOCHOOSE} is not there; set NIMUE_DATA)`}`,
  async () => {
    const dataset = await prepare('yoochoose64', DATA);
    for (const [w, file] of ['train-sessions', 'test-prefixes'].entries()) {
      const text = gunzipSync(readFileSync(join(YOOCHOOSE, `${file}.txt.gz`))).toString();
      const { itemCodes, offsets } = await dataset.read(w, 'train');
      const lines = Array.from({ length: offsets.length - 1 }, (_, s) =>
        Array.from(itemCodes.subarray(offsets[s], offsets[s + 1]), (code) => dataset.rawItemId(code)).join(' '),
      );
      expect(lines.sort()).toEqual(text.trimEnd().replaceAll('\t', ' ').split('\n').sort());
    }
    expect(dataset.windows.map(({ numSessions }) => numSessions)).toEqual([116_167, 55_898]);
    dataset.close();
  },
  TIMEOUT_MS,
);

const BLANK_TIMES = join(DATA, 'movielens-1m', 'ratings-time-or-blank.dat.gz');
(existsSync(BLANK_TIMES) ? test : test.skip)(
  `movielens1m: every rating is read${existsSync(BLANK_TIMES) ? '' : ` (skipped: ${BLANK_TIMES} is not there; set NIMUE_DATA)`}`,
  async () => {
    const dataset = await prepare('movielens1m', DATA, { dataset: { files: BLANK_TIMES, onMissing: 'drop' } });
    const { numSessions, numEvents, numMissingEvents } = dataset.counts;
    expect(numEvents + numMissingEvents).toBe(1_000_209);
    // Two of the 6,040 users have no rating with a time.
    expect(numSessions).toBe(6038);
    dataset.close();
  },
  TIMEOUT_MS,
);
