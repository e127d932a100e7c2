import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createNimueContainer, servicesOf } from '@nimue/container';
import { parseExperiment } from '../src/experiment/load-experiment.ts';
import { parseSetting } from '../src/experiment/setting.ts';
import { type RunOutcome, runExperiment } from '../src/run/run-experiment.ts';

const services = servicesOf(createNimueContainer({ logger: { info: () => {}, warn: () => {} } }));
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nimue-held-out-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** One line per event: user, item and day; the rows of a user are in time order. */
const LOG = [
  '1 a 1',
  '1 b 2',
  '1 c 5',
  '1 d 9',
  '2 a 1',
  '2 b 6',
  '2 e 9',
  '3 b 1',
  '3 a 2',
  '3 c 9',
  '4 a 1',
  '4 c 2',
];

async function run(policy: string, columns: string, settings: readonly string[] = [], log = LOG): Promise<RunOutcome> {
  const file = join(folder, 'log.csv');
  const rows = log.map((line) => line.split(' ')).map(([user, item, day]) => `${user},${item},2024-01-0${day}`);
  await writeFile(file, `user,item,day\n${rows.join('\n')}\n`);
  const text = `name: held-out
dataset: { files: ${file}, columns: { user: user, item: item${columns} } }
sessions: { by: user, gapMinutes: none, minLength: 1 }
windows: ${policy}
models: [{ name: popularity, over: all }, { name: gru4rec, hiddenSize: 4, training: { epochs: 1 } }]
evaluation: { metrics: [hr@1, hr@2, hr@3] }
backend: cpu
`;
  const experiment = parseExperiment('e.yaml', text, { ...services, settings: settings.map(parseSetting) });
  return runExperiment(experiment, services, {
    runsDirectory: join(folder, 'runs'),
    preparedDirectory: join(folder, 'prepared'),
  });
}

const metricsOf = ({ results }: RunOutcome, model = 'popularity') =>
  results.filter((result) => result.model === model).map(({ metrics }) => Object.values(metrics));

test('leaveOneOut of a log without times, from YAML to metrics', async () => {
  // Trained on: 1 a b, 2 a, 3 b, 4 a c; so a is clicked 3 times, b 2, c 1; d and e are unknown.
  const tested = await run('{ policy: leaveOneOut }', '');
  // d and e are misses, c has rank 3.
  expect(metricsOf(tested)).toEqual([[0, 0, 1 / 3]]);
  expect(tested.results[0]).toMatchObject({
    numTargets: 3,
    numUnknownTargets: 2,
    numTrainEvents: 6,
    trainWindows: ['history'],
    evaluateWindow: 'held-out',
  });
  expect(metricsOf(tested, 'gru4rec')[0][2]).toBeCloseTo(1 / 3, 12);
  // c has rank 3, b 2, a 1.
  const validated = await run('{ policy: leaveOneOut }', '', ['evaluation.split=valid']);
  expect(metricsOf(validated)).toEqual([[1 / 3, 2 / 3, 1]]);
});

test('a global time split, from YAML to metrics', async () => {
  const policy = '{ policy: globalTime, validFrom: 2024-01-04, testFrom: 2024-01-07 }';
  // Trained on days 1 to 3: 1 a b, 2 a, 3 b a, 4 a c; so a 4 times, b 2, c 1. Tested on day 9: d and e unknown, c rank 3.
  const tested = await run(policy, ', timestamp: day');
  expect(metricsOf(tested)).toEqual([[0, 0, 1 / 3]]);
  expect(tested.results[0]).toMatchObject({ numTargets: 3, numTrainEvents: 7 });
  // Days 5 and 6: c rank 3, b rank 2.
  const validated = await run(policy, ', timestamp: day', ['evaluation.split=valid']);
  expect(metricsOf(validated)).toEqual([[0, 1 / 2, 1]]);
});

test('rolling folds of the end of every sequence, from YAML to metrics', async () => {
  const policy = '{ policy: timeRange, testSize: 5d, numFolds: 1, targets: last }';
  // The fold is the 5th to the 9th: last targets d, e and c; trained on as above.
  const outcome = await run(policy, ', timestamp: day', ['split.validShare=0']);
  expect(metricsOf(outcome)).toEqual([[0, 0, 1 / 3]]);
  expect(outcome.results[0]).toMatchObject({ trainWindows: ['history 2024-01-05_5d'] });
});

test('rolling folds of sessions: windows with an expanding policy', async () => {
  const log = ['1 a 1', '1 b 1', '4 a 2', '4 b 2', '2 b 8', '2 a 8', '3 a 9', '3 c 9'];
  const policy = '{ span: { testSize: 1d, numFolds: 2 }, policy: expanding }';
  const settings = ['sessions.gapMinutes=30', 'split.validShare=0'];
  const outcome = await run(policy, ', timestamp: day', settings, log);
  // The 8th: a and b were clicked twice each, and a tie counts against the target a. The 9th: c is unknown.
  expect(metricsOf(outcome)).toEqual([
    [0, 1, 1],
    [0, 0, 0],
  ]);
  expect(outcome.results.map(({ trainWindows }) => trainWindows).slice(0, 2)).toEqual([
    ['before'],
    ['before', '2024-01-08_1d'],
  ]);
});
