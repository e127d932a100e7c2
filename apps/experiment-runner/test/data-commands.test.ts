import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { popularityChart, sessionLengthChart } from '../src/data/distribution-charts.ts';
import { lengthQuantile, sessionLengthBars, shareOfTopItems } from '../src/data/session-length-bars.ts';

const NIMUE = fileURLToPath(new URL('../bin/nimue.mjs', import.meta.url));
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nimue-data-commands-'));
  await writeFile(join(folder, 'clicks.csv'), CLICKS);
});
afterAll(() => rm(folder, { recursive: true }));

function nimue(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [NIMUE, ...args], { cwd: folder, encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** Counted by hand: 3 sessions of 3, 1 and 2 events; a 3 times, b twice, c once; one price is missing. */
const CLICKS = `session_id,item_id,event_time,price
1,a,1506826800,2.5
1,b,1506826801,
1,a,1506826802,2.5
2,c,1506913200,1
3,a,1506913201,2.5
3,b,1506913202,4
`;

test('data describe: counts, columns, the unit of the times, distributions', async () => {
  const { status, stdout, stderr } = nimue('data', 'describe', 'clicks.csv', '--draw', 'clicks.html');
  expect(stderr).toBe('');
  expect(status).toBe(0);
  for (const part of [
    /rows\s+│ 6/,
    /sessions\s+│ 3/,
    /items\s+│ 3/,
    /2017-10-01 03:00 … 2017-10-02 03:00, 1\.0 days/,
    /mean 2\.00, median 2, 90 % ≤ 3, 99 % ≤ 3, longest 3/,
    /sessions of one event\s+│ 1 \(33\.3 %\)/,
    /top 1 % of items: 50\.0 % of events/,
    /price\s+│ ~3\s+│ 1 \(16\.7 %\)/,
    /event_time\s+│ ~6\s+│ 0\s+│ seconds, 2017-10-01 03:00/,
    'read as: session = session_id, item = item_id, timestamp = event_time',
  ]) {
    expect(stdout).toMatch(part);
  }
  const page = await readFile(join(folder, 'clicks.html'), 'utf8');
  expect(page.match(/<svg /g)).toHaveLength(2);
  expect(page).toContain('<title>3 events: 1 sessions</title>');
  const json = JSON.parse(nimue('data', 'describe', 'clicks.csv', '--json').stdout);
  expect(json).toMatchObject({ numRows: 6, numSessions: 3, numItems: 3, itemEvents: [3, 2, 1] });
  expect(nimue('data', 'describe', 'clicks.csv', '--draw', 'clicks.svg').status).toBe(0);
  expect(await readFile(join(folder, 'clicks.svg'), 'utf8')).toMatch(
    /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[\s\S]*<\/svg>\n$/,
  );
});

test('data describe: a ready-made data set by its name', async () => {
  await mkdir(join(folder, 'data', 'movielens-1m'), { recursive: true });
  await writeFile(
    join(folder, 'data', 'movielens-1m', 'ratings.dat'),
    '1::10::5::978300760\n1::11::3::978300761\n2::10::4::978300762\n',
  );
  const { stdout, status } = nimue('data', 'describe', 'movielens1m');
  expect(status).toBe(0);
  expect(stdout).toMatch(/users\s+│ 2/);
  expect(stdout).toMatch(/sessions\s+│ 2/);
  expect(stdout).toContain('read as: user = user, item = movie, timestamp = time');
});

test('data: what is wrong is the user’s to mend: exit code 2', () => {
  for (const [args, message] of [
    [['describe', 'glob'], /glob: neither a file nor a ready-made data set .*; did you mean 'globo'\?/],
    [['describe', 'globo'], /clicks\.parquet does not exist/],
    [
      ['describe', 'clicks.csv', '--item', 'itemid'],
      /--item: clicks\.csv has no column 'itemid', only .*did you mean 'item_id'\?/,
    ],
    [['describe', 'clicks.csv', '--gap', 'soon'], /--gap soon: expected minutes, or none/],
    [['describe', 'clicks.csv', '--draw', 'x.png'], /--draw x\.png: expected a name that ends with \.html or \.svg/],
    [['fetch', 'globo'], /cannot be downloaded by a program.*kaggle.*globo\/clicks\.parquet/],
    [['fetch', 'movielens1'], /did you mean 'movielens1m'\?/],
  ] as const) {
    const { status, stderr } = nimue('data', ...args);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  }
  expect(nimue('data', 'fetch', 'globo').stderr).toMatch(/licence: academic, non-commercial/);
});

test('data fetch: what is there already is left alone', () => {
  expect(JSON.parse(nimue('data', 'fetch', 'movielens1m', '--json').stdout)).toMatchObject({
    name: 'movielens1m',
    file: expect.stringMatching(/ratings\.dat$/),
    bytes: 60,
    wasThere: true,
  });
  const { stdout, status } = nimue('data', 'fetch', 'movielens1m');
  expect(stdout).toMatch(/ratings\.dat is there already \(60 bytes\)/);
  expect(status).toBe(0);
});

test('classes of lengths, quantiles and shares', () => {
  const description = {
    numEvents: 625,
    numMissingEvents: 0,
    numRepeatedEvents: 0,
    numSessions: 4,
    numItems: 3,
    sessionLengths: [
      { length: 2, numSessions: 2 },
      { length: 20, numSessions: 1 },
      { length: 601, numSessions: 1 },
    ],
    itemEvents: Int32Array.of(500, 124, 1),
  };
  const bars = sessionLengthBars(description.sessionLengths).filter(({ numSessions }) => numSessions > 0);
  expect(bars).toEqual([
    { label: '2', numSessions: 2 },
    { label: '11–20', numSessions: 1 },
    { label: '501+', numSessions: 1 },
  ]);
  expect([0.5, 0.75, 0.99].map((share) => lengthQuantile(description, share))).toEqual([2, 20, 601]);
  expect(shareOfTopItems(description, 0.01)).toBe(0.8);
  expect(shareOfTopItems(description, 2 / 3)).toBeCloseTo(624 / 625, 12);
  expect(sessionLengthChart(description).match(/<rect class="bar"/g)).toHaveLength(16);
  expect(popularityChart(description)).toMatch(/<polyline class="c0" points="64\.0,12\.0 /);
});
