import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createNimueContainer, servicesOf } from '@nimue/container';
import { datasetFromSessions, ItemVocabulary, objectives, openParquetWriter, readParquet } from '@nimue/data';
import { models } from '@nimue/models';
import { writeModelFolder } from '@nimue/recommender';
import { parseExperiment } from '../src/experiment/load-experiment.ts';
import { runExperiment } from '../src/run/run-experiment.ts';
import { TINY_EXPERIMENT } from './tiny-experiment.ts';

const NIMUE = fileURLToPath(new URL('../bin/nimue.mjs', import.meta.url));
let folder = '';
let run = '';

/** c is clicked three times, a twice, b once; after a comes b or c, after b comes c. */
const SESSIONS = [
  ['a', 'b', 'c'],
  ['a', 'c'],
  ['d', 'c'],
];

function nimue(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [NIMUE, ...args], { cwd: folder, encoding: 'utf8' });
  return { status, stdout, stderr };
}

async function keepModel(name: 'popularity' | 'markov') {
  const dataset = datasetFromSessions(
    SESSIONS.map((items, s) => ({ items, timestampsMs: items.map((_, i) => 1000 * s + i) })),
  );
  const sessions = await dataset.read(0, 'train');
  const vocabulary = new ItemVocabulary();
  vocabulary.grow(sessions);
  const spec = models[name];
  const config = spec.configSchema.parse({});
  await writeModelFolder(
    join(run, 'models', `${name}-seed1`),
    {
      label: name,
      seed: 1,
      model: spec.create(config as never, { numRows: vocabulary.size, seed: 1 }),
      objective: objectives.lastItem.create({}),
      vocabulary,
      trainWindows: ['2024-01-01'],
      rawItemId: (code) => dataset.rawItemId(code),
      async *countedWindows() {
        yield { itemIds: vocabulary.encode(sessions.itemCodes), offsets: sessions.offsets };
      },
    },
    { model: { name, config }, titles: { c: 'Third of all' } },
  );
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nimue-recommend-'));
  run = join(folder, 'run');
  await keepModel('popularity');
  await keepModel('markov');
  const line = (model: string, value: number) => JSON.stringify({ model, seed: 1, metrics: { 'ndcg@20': value } });
  await writeFile(join(run, 'metrics.jsonl'), `${line('markov', 0.2)}\n${line('popularity', 0.1)}\n`);
});
afterAll(() => rm(folder, { recursive: true }));

test('a typed session is answered by the best model of the run, or by the one that is named', () => {
  const best = nimue('recommend', 'run', '--session', 'a, b', '--k', '1', '--json', '--backend', 'cpu');
  expect(best.stderr).toContain('model: markov of run/models/markov-seed1');
  const [answer] = JSON.parse(best.stdout);
  expect(answer).toMatchObject({ asked: 'a, b', items: [{ item: 'c', title: 'Third of all' }], unknownItems: [] });
  const named = nimue(
    'recommend',
    'run',
    '--model',
    'popularity',
    '--session',
    'a,new',
    '--filter-seen',
    '--backend',
    'cpu',
  );
  expect(named.status).toBe(0);
  expect(named.stdout).toContain('Third of all');
  expect(named.stdout).toContain('3.0000');
  expect(named.stdout).toContain('not known to the model, and left out: new');
  expect(named.stdout).not.toMatch(/│ a /);
  const folderItself = nimue(
    'recommend',
    'run/models/popularity-seed1',
    '--session',
    'a',
    '--exclude',
    'c',
    '--k',
    '1',
    '--json',
    '--backend',
    'cpu',
  );
  expect(JSON.parse(folderItself.stdout)[0].items.map(({ item }: { item: string }) => item)).toEqual(['a']);
});

test('the run of an experiment is asked as it is', async () => {
  const logger = { info: () => {}, warn: () => {} };
  const services = servicesOf(createNimueContainer({ logger }));
  const counting = TINY_EXPERIMENT.replace(
    /models:[\s\S]*?\ntraining/,
    'models: [{ name: popularity }, { name: markov }]\ntraining',
  );
  const { path, summaries } = await runExperiment(parseExperiment('tiny.yaml', counting, services), services, {
    runsDirectory: join(folder, 'runs'),
    preparedDirectory: join(folder, 'prepared'),
  });
  const known = JSON.parse(await readFile(join(path, 'models', 'markov-seed1', 'items.json'), 'utf8')) as {
    ids: string[];
  };
  const { stdout, stderr } = nimue(
    'recommend',
    path,
    '--session',
    known.ids.slice(0, 2).join(),
    '--k',
    '3',
    '--json',
    '--backend',
    'cpu',
  );
  const models = summaries.filter(({ model }) => model !== 'oracle');
  const [best] = models.sort((a, b) => b.metrics['ndcg@5'].mean - a.metrics['ndcg@5'].mean);
  expect(stderr).toContain(`model: ${best.model} of `);
  const [{ items, unknownItems }] = JSON.parse(stdout);
  expect(items).toHaveLength(3);
  expect(unknownItems).toHaveLength(0);
}, 180_000);

test('sessions of a file, and users of a history', async () => {
  await writeFile(join(folder, 'in.csv'), 'session_id,item_id\ns1,a\ns2,new\ns1,b\ns3,d\n');
  const batch = nimue(
    'recommend',
    'run',
    '--in',
    'in.csv',
    '--out',
    'out.parquet',
    '--k',
    '1',
    '--on-unsupported',
    'skip',
    '--backend',
    'cpu',
  );
  expect(batch.stderr).toContain(
    'wrote out.parquet: lists for 3 sessions; 1 of them have no item that the model knows',
  );
  const { session, place, item } = await readParquet(join(folder, 'out.parquet'));
  expect({ session, place: [...place], item }).toEqual({ session: ['s1', 's3'], place: [1, 1], item: ['c', 'c'] });
  await writeFile(join(folder, 'history.csv'), 'user_id,item_id\nann,a\nann,b\n');
  const user = nimue(
    'recommend',
    'run',
    '--history',
    'history.csv',
    '--user',
    'ann',
    '--k',
    '1',
    '--json',
    '--backend',
    'cpu',
  );
  expect(JSON.parse(user.stdout)[0]).toMatchObject({ asked: 'user ann', items: [{ item: 'c' }] });
});

test('a typed session with its times and its context, where the features read them', async () => {
  // What follows is told by the device and by the hour, not by the items.
  const rows = ['session_id,item_id,timestamp,device'];
  for (let s = 0; s < 240; s++) {
    const [day, isPhone, isNight] = [1 + (s % 2), s % 4 < 2, s % 8 < 4];
    const hour = (isNight ? 2 : 14) * 3600;
    const target = `${isPhone ? 'p' : 'd'}${isNight ? 'n' : 'l'}`;
    for (const [i, item] of ['a', 'b', target].entries()) {
      const time = Date.UTC(2024, 4, day) / 1000 + hour + s + i;
      rows.push(`s${s},${item},${time},${isPhone ? 'phone' : 'desktop'}`);
    }
  }
  await writeFile(join(folder, 'log.csv'), `${rows.join('\n')}\n`);
  const services = servicesOf(createNimueContainer({ logger: { info: () => {}, warn: () => {} } }));
  const yaml = `name: context
dataset: { files: ${join(folder, 'log.csv')}, columns: { session: session_id, item: item_id, timestamp: timestamp } }
windows: { span: day, policy: incremental }
features: [{ name: categorify, column: device }, { name: cyclicTime, of: hour }]
models:
  - name: gru4rec
    hiddenSize: 16
    inputs: { features: [{ kind: category, column: device }, { kind: scalar, column: hour_sin }] }
training: { epochs: 20, batchSize: 16, learningRate: 0.02 }
evaluation: { metrics: [hr@1], split: test }
backend: cpu
`;
  const { path } = await runExperiment(parseExperiment('context.yaml', yaml, services), services, {
    runsDirectory: join(folder, 'runs'),
    preparedDirectory: join(folder, 'prepared'),
  });
  const first = (...args: string[]) => {
    const { stdout, stderr } = nimue('recommend', path, ...args, '--k', '1', '--json', '--backend', 'cpu');
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout).map(({ items }: { items: { item: string }[] }) => items[0].item);
  };
  const [night, day] = ['2024-05-03T02:00Z,1714701605', '2024-05-03T16:00+02:00, 2024-05-03 14:00:09'];
  const both = ['--session', 'a,b', '--times', night, '--session', 'a,b', '--times', day];
  expect(first(...both, '--context', 'device=phone')).toEqual(['pn', 'pl']);
  expect(first(...both, '--context', 'device=desktop')).toEqual(['dn', 'dl']);
  const refused = (...args: string[]) => {
    const { status, stderr } = nimue('recommend', path, '--session', 'a,b', ...args, '--backend', 'cpu');
    expect(status).toBe(2);
    return stderr;
  };
  expect(refused('--times', night, '--times', day)).toContain('--times is given 2 times and --session 1');
  expect(refused('--times', '12:00,13:00')).toContain("--times: '12:00' is no time");
  expect(refused('--times', '5,6')).toContain("--times: '5' is no time");
  expect(refused('--times', night, '--context', 'device')).toContain('--context device: expected column=value');
  expect(refused('--times', night, '--context', 'colour=red')).toContain(
    "no feature of the model reads a column 'colour'",
  );
  expect(refused('--times', '2024-05-03T02:00Z', '--context', 'device=phone')).toContain(
    'has 2 items but 1 timestamps',
  );
}, 180_000);

test('Parquet in, Parquet out: more sessions than are held at a time', async () => {
  const ids = Array.from({ length: 9001 }, (_, s) => `s${String(s).padStart(4, '0')}`);
  const last = ids.map((_, s) => (s % 3 === 0 ? 'a' : 'b'));
  const writer = await openParquetWriter(join(folder, 'in.parquet'), { session_id: 'string', item_id: 'string' });
  await writer.append({
    session_id: ids.flatMap((id) => [id, id]),
    item_id: last.flatMap((item) => ['d', item]),
  });
  await writer.close();
  const asked = ['recommend', 'run', '--in', 'in.parquet', '--out', 'lists.parquet', '--k', '2', '--backend', 'cpu'];
  expect(nimue(...asked)).toMatchObject({ status: 0, stderr: expect.stringContaining('lists for 9001 sessions') });
  const { session, place, item, score } = await readParquet(join(folder, 'lists.parquet'));
  // After a come b and c alike; after b comes c.
  const lists = last.map((_, s) => [2 * s, 2 * s + 1].map((row) => item[row] as string));
  expect({ session, place: [...place] }).toEqual({
    session: ids.flatMap((id) => [id, id]),
    place: ids.flatMap(() => [1, 2]),
  });
  expect(lists.filter((list, s) => last[s] === 'a' && [...list].sort().join() !== 'b,c')).toEqual([]);
  expect(lists.filter(([best], s) => last[s] === 'b' && best !== 'c')).toEqual([]);
  expect(lists.filter((_, s) => (score[2 * s] as number) < (score[2 * s + 1] as number))).toEqual([]);
  const again = nimue(...asked);
  expect([again.status, again.stderr]).toEqual([2, expect.stringContaining('lists.parquet: it exists already')]);
});

test('what is wrong is named, with exit code 2', async () => {
  const refused = (...args: string[]) => {
    const { status, stderr } = nimue('recommend', ...args, '--backend', 'cpu');
    expect(status).toBe(2);
    return stderr;
  };
  expect(refused('nowhere', '--session', 'a')).toContain('nowhere: neither a model folder (manifest.json) nor a run');
  expect(refused('run', '--model', 'sasrec', '--session', 'a')).toContain(
    "no model 'sasrec'; it has markov, popularity",
  );
  expect(refused('run')).toContain('nothing is asked');
  expect(refused('run', '--session', 'a', '--k', '0')).toContain('--k 0: expected a whole number');
  expect(refused('run', '--in', 'in.csv')).toContain('--in and --out go together');
  expect(refused('run', '--session', 'new', '--on-unsupported', 'error')).toContain(
    'session 0 has no item that the model knows (new)',
  );
  expect(refused('run', '--in', 'none.csv', '--out', 'x.parquet')).toContain('none.csv: cannot be read');
  await expect(readFile(join(folder, 'x.parquet'))).rejects.toThrow();
});
