import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createNimueContainer, servicesOf } from '@nimue/container';
import { datasetFromSessions, ItemVocabulary, objectives, readParquet } from '@nimue/data';
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
