import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { folderContents } from '@nimue/testing';
import type { RawColumn } from '../dataset/raw-columns.ts';
import type { SplitOptions } from '../dataset/split-of-session.ts';
import { prepareWindows } from '../prepare/prepare-windows.ts';
import { datasetSchema } from '../read/dataset-schema.ts';
import { openEngine } from '../read/engine.ts';
import { sessionsSchema } from '../sessions/sessions-schema.ts';
import { windowsSchema } from '../windows/windows-schema.ts';
import { prepareInShards } from './prepare-in-shards.ts';
import { runShardJob } from './run-shard-job.ts';
import type { ShardJob } from './shard-job.ts';
import type { SharedFiles } from './shared-files.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'nimue-shards-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** The plainest shared files: a folder. */
function folderFiles(folder: string): SharedFiles {
  const place = (name: string, write: (path: string) => void) => {
    const path = join(folder, name);
    if (existsSync(path)) return false;
    mkdirSync(dirname(path), { recursive: true });
    write(path);
    return true;
  };
  return {
    read: async (name) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name)) : undefined),
    write: async (name, content) => place(name, (path) => writeFileSync(path, content)),
    upload: async (name, file) => place(name, (path) => cpSync(file, path)),
    download: async (name, file) => cpSync(join(folder, name), file),
    remove: async (prefix) => rmSync(join(folder, prefix), { recursive: true, force: true }),
  };
}

interface Case {
  dataset: object;
  sessions?: object;
  windows?: object;
  split?: SplitOptions;
  columns?: RawColumn[];
}

const optionsOf = ({ dataset, sessions, windows, split, columns }: Case) => ({
  dataset: datasetSchema.parse(dataset as never),
  sessions: sessionsSchema.parse(sessions ?? {}),
  windows: windowsSchema.parse({ span: 'all', ...windows }),
  split,
  columns,
});

let number = 0;
async function inShards(config: Case, numShards: number, log: string[] = []) {
  const shared = join(root, `shared${number++}`);
  const files = folderFiles(shared);
  const { name, key } = await prepareInShards({
    ...optionsOf(config),
    directory: join(root, `scratch${number}`),
    numShards,
    files,
    run: async (jobs) => {
      const results = new Array(jobs.length);
      // Another order, through JSON, and some of them twice.
      for (const [i, { name: jobName, input }] of [...jobs.entries()].reverse()) {
        log.push(jobName);
        const travelled = JSON.parse(JSON.stringify(input)) as ShardJob;
        results[i] = JSON.parse(JSON.stringify(await runShardJob(travelled, { files, scratch: root, threads: 1 })));
        if (i === 1) expect(await runShardJob(travelled, { files, scratch: root })).toEqual(results[i]);
      }
      return results;
    },
  });
  expect(readdirSync(join(root, `scratch${number}`))).toEqual([]);
  const left = existsSync(join(shared, 'shards')) ? readdirSync(join(shared, 'shards')) : [];
  expect(left).toEqual([]);
  return { name, key, contents: folderContents(join(shared, 'prepared', name)), shared };
}

const T = Date.UTC(2024, 0, 30, 22);
/** So many events of so many users over four days, the month's end among them; every third at the same second as another user's. */
async function writeLog(file: string, numEvents: number, numUsers: number, perSecond = 3): Promise<string> {
  const path = join(root, file);
  const engine = await openEngine({ threads: 1 });
  await engine.run(`COPY (SELECT * FROM (SELECT
      'user ' || (hash(r, 1) % ${numUsers}) AS user,
      'u' || (hash(r, 1) % ${numUsers}) || '-' || (r * 4 // ${numEvents}) AS session,
      CASE WHEN r % 2 = 0 THEN 'Ä' ELSE 'b' END || (hash(r, 2) % 40) * (hash(r, 3) % 3) AS item,
      CAST((hash(r, 2) % 40) AS BIGINT) AS number_item,
      make_timestamp(${T * 1000} + (r // ${perSecond}) * ${Math.round((4 * 86_400 * 1e6 * perSecond) / numEvents / 1e6) * 1_000_000}) AS t,
      CAST(${T} + (r // ${perSecond}) * 1000 AS BIGINT) AS ms,
      make_timestamp(${T * 1000} + (r * 4 // ${numEvents}) * 86400000000) AS start,
      CASE WHEN r % 11 = 0 THEN NULL ELSE (r % 7) / 3.0 END AS price,
      CASE WHEN r % 5 = 0 THEN NULL ELSE 'c ' || (hash(r, 4) % 9) END AS category,
      CASE WHEN r % 10 = 0 THEN 'cart' ELSE 'view' END AS event,
      hash(r, 5) % 100 AS place
    FROM range(${numEvents}) x(r)) ORDER BY hash(t, item))
    TO '${path}' (FORMAT ${file.endsWith('.csv') ? 'csv, HEADER' : 'parquet, ROW_GROUP_SIZE 2048'})`);
  engine.close();
  return path;
}

const byUser = { user: 'user', item: 'item', timestamp: 't' };
const CASES: Record<string, (log: string, csv: string) => Case> = {
  'users, days': (files) => ({
    dataset: { files, columns: byUser },
    sessions: { by: 'user', gapMinutes: 600 },
    windows: { span: 'day' },
  }),
  'users, some of the windows, a column of whole numbers for times': (files) => ({
    dataset: { files, columns: { user: 'user', item: 'number_item', timestamp: 'ms' } },
    sessions: { by: 'user', gapMinutes: 5, minLength: 1 },
    windows: { span: 'hour', first: '2024-01-30T22', last: '2024-01-30T22' },
  }),
  'sessions with stated starts and an order, columns carried along, divided by users': (files) => ({
    dataset: {
      files,
      columns: {
        session: 'session',
        user: 'user',
        item: 'item',
        timestamp: 't',
        order: 'place',
        sessionStart: 'start',
      },
    },
    sessions: { by: 'session', maxLength: 4, dropConsecutiveRepeats: true },
    windows: { span: 'day', first: '2024-01-31', last: '2024-02-01' },
    split: { by: 'user', validShare: 0.3, seed: 4 },
    columns: [
      { name: 'category', kind: 'text' },
      { name: 'price', kind: 'number' },
      { name: 'price', kind: 'text' },
    ],
  }),
  'event types and the k-core, what is incomplete left out': (files) => ({
    dataset: { files, columns: { ...byUser, event: 'event' }, onMissing: 'drop' },
    sessions: {
      by: 'user',
      gapMinutes: 'none',
      eventTypes: ['view'],
      minItemEvents: 4,
      minKeyEvents: 11,
      supportPasses: 'iterated',
    },
    windows: { span: 'all' },
  }),
  'rare items and users once, of the windows alone': (files) => ({
    dataset: { files, columns: byUser },
    sessions: { by: 'user', gapMinutes: 60, minLength: 1, minItemEvents: 4, minKeyEvents: 3 },
    windows: { span: 'day', first: '2024-02-01', last: '2024-02-02' },
  }),
  'an order and no times, Parquet': (files) => ({
    dataset: { files, columns: { user: 'user', item: 'item' } },
    sessions: { by: 'user', gapMinutes: 'none' },
  }),
  'text, an order and no times': (_, files) => ({
    dataset: { files, columns: { user: 'user', item: 'item' } },
    sessions: { by: 'user', gapMinutes: 'none' },
  }),
  'text, folds at the end, an item that is missing': (_, files) => ({
    dataset: { files, columns: { ...byUser, item: 'category' }, onMissing: 'drop' },
    sessions: { by: 'user', gapMinutes: 60, minLength: 1 },
    windows: { span: { testSize: '1d', numFolds: 2 } },
    columns: [{ name: 'category', kind: 'text' }],
  }),
};

test.each(Object.entries(CASES))('%s: any number of shards gives the bytes of one process', async (name, make) => {
  const config = make(await writeLog('log.parquet', 900, 41), await writeLog('log.csv', 400, 17));
  const whole = await prepareWindows({ ...optionsOf(config), directory: join(root, 'whole') });
  whole.close();
  expect(whole.counts.numKeptSessions).toBeGreaterThan(5);
  const expected = folderContents(whole.directory);
  for (const numShards of ['users, days', 'text, an order and no times'].includes(name) ? [1, 2, 3, 8] : [3, 8]) {
    const jobs: string[] = [];
    const { key, contents } = await inShards(config, numShards, jobs);
    // Passes until nothing is rare any more.
    if (name.includes('k-core')) expect(jobs.filter((job) => /^find 1/.test(job)).length).toBeGreaterThan(2);
    expect([numShards, key, contents]).toEqual([numShards, whole.key, expected]);
  }
});

test('shards of nothing: one user, three users of the same second; several files; a generated log', async () => {
  const several = [
    await writeLog('a.parquet', 60, 5),
    await writeLog('b.parquet', 60, 5),
    await writeLog('c.parquet', 9, 1),
  ];
  const sessions = { by: 'user', minLength: 1, gapMinutes: 60 };
  const configs: Case[] = [
    { dataset: { files: await writeLog('one.parquet', 50, 1), columns: byUser }, sessions, windows: { span: 'day' } },
    {
      dataset: { files: await writeLog('same.parquet', 30, 3, 30), columns: byUser },
      sessions,
      windows: { span: 'hour' },
    },
    { dataset: { files: several, columns: byUser }, sessions, windows: { span: '12h' } },
    { dataset: { generated: 'shop', days: 2, sessionsPerDay: 40 }, windows: { span: 'day' } },
  ];
  for (const config of configs) {
    const whole = await prepareWindows({ ...optionsOf(config), directory: join(root, 'whole') });
    whole.close();
    for (const numShards of [2, 8]) {
      const { contents } = await inShards(config, numShards);
      expect(contents).toEqual(folderContents(whole.directory));
    }
  }
});

test('what is wrong with the log is said as by one process', async () => {
  const log = await writeLog('wrong.parquet', 200, 9);
  const wrong: Case[] = [
    { dataset: { files: log, columns: { ...byUser, item: 'category' } }, sessions: { by: 'user' } },
    { dataset: { files: log, columns: { ...byUser, item: 'category' } }, sessions: { by: 'user', minItemEvents: 2 } },
    { dataset: { files: log, columns: { ...byUser, event: 'event' } }, sessions: { by: 'user', eventTypes: ['buy'] } },
    { dataset: { files: log, columns: byUser }, sessions: { by: 'user', minItemEvents: 10_000 } },
    { dataset: { files: log, columns: byUser }, sessions: { by: 'user', gapMinutes: 60, minLength: 90 } },
    { dataset: { files: log, columns: { ...byUser, timestamp: 'price' } }, sessions: { by: 'user' } },
    {
      dataset: { files: log, columns: byUser },
      sessions: { by: 'user' },
      windows: { span: 'day', first: '2020-01-01', last: '2020-01-02' },
    },
    { dataset: { files: log, columns: { item: 'item', user: 'user' } }, sessions: { by: 'user' } },
  ];
  const said = async (run: () => Promise<unknown>) =>
    run().then(
      () => 'nothing',
      (error: Error) => error.message,
    );
  for (const config of wrong) {
    const whole = await said(() => prepareWindows({ ...optionsOf(config), directory: join(root, 'wrong') }));
    expect(whole).not.toBe('nothing');
    expect(await said(() => inShards(config, 3))).toBe(whole);
  }
  await expect(inShards({ dataset: { files: log, columns: byUser } }, 0)).rejects.toThrow('at least 1 shard, got 0');
  const sessions = { by: 'user', sample: { numSessions: 3 } };
  await expect(inShards({ dataset: { files: log, columns: byUser }, sessions }, 2)).rejects.toThrow(
    'drawn in one piece',
  );
});

test('begun again, it takes up what was done; done, it does nothing', async () => {
  const config = CASES['users, days'](await writeLog('log.parquet', 900, 41), '');
  const shared = join(root, 'again');
  const plain = folderFiles(shared);
  let uploads: string[] = [];
  let names: string[] = [];
  const files: SharedFiles = {
    ...plain,
    upload: (name, file) => {
      uploads.push(name);
      return plain.upload(name, file);
    },
  };
  const attempt = (failAt: string) => {
    [uploads, names] = [[], []];
    return prepareInShards({
      ...optionsOf(config),
      directory: join(root, 'again-scratch'),
      numShards: 3,
      files,
      run: async (jobs) => {
        const results = [];
        for (const { name, input } of jobs) {
          if (name === failAt) throw new Error('the machine is gone');
          results.push(await runShardJob(input, { files, scratch: root, threads: 1 }));
          names.push(name);
        }
        return results;
      },
    });
  };
  await expect(attempt('sessions 2/3')).rejects.toThrow('the machine is gone');
  expect(existsSync(join(shared, 'prepared'))).toBe(false);
  const { name } = await attempt('');
  // Four days in three groups, of two shards and not of the first.
  expect(uploads.filter((file) => /found|records/.test(file))).toHaveLength(6);
  const whole = await prepareWindows({ ...optionsOf(config), directory: join(root, 'whole') });
  whole.close();
  expect(folderContents(join(shared, 'prepared', name))).toEqual(folderContents(whole.directory));
  expect((await attempt('')).name).toBe(name);
  expect([names, uploads]).toEqual([['look 1/1'], []]);
});
