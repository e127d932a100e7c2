import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createNimueContainer, servicesOf } from '@nimue/container';
import { evaluateRun } from '../src/evaluate/evaluate-run.ts';
import { parseExperiment } from '../src/experiment/load-experiment.ts';
import { parseSetting } from '../src/experiment/setting.ts';
import { type RunOutcome, runExperiment } from '../src/run/run-experiment.ts';
import { TINY_EXPERIMENT } from './tiny-experiment.ts';

const services = servicesOf(createNimueContainer({ logger: { info() {}, warn() {} } }));
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nimue-evaluate-'));
});
afterAll(() => rm(folder, { recursive: true }));

const experimentOf = (text: string, ...settings: string[]) =>
  parseExperiment(join(folder, 'e.yaml'), text, { ...services, settings: settings.map(parseSetting) });
const run = (text: string) =>
  runExperiment(experimentOf(text), services, {
    runsDirectory: join(folder, 'runs'),
    preparedDirectory: join(folder, 'prepared'),
  });
const evaluateAgain = (path: string, text: string, settings: string[] = [], models: string[] = []) =>
  evaluateRun(path, experimentOf(text, ...settings), services, {
    preparedDirectory: join(folder, 'prepared'),
    models,
  });

describe('a run whose models are kept', () => {
  const text = TINY_EXPERIMENT.replace('span: day,', 'span: day, count: 3,')
    .replace('seeds: [1]', 'seeds: [1, 2]')
    .replace('split: test', 'split: test, slices: [itemAge, itemPopularity]')
    .replace('epochs: 2', 'epochs: 1, averageDecay: 0.9');
  let outcome: RunOutcome;
  beforeAll(async () => {
    outcome = await run(text);
  });

  test('the numbers of the last window come out again, slices and the oracle too', async () => {
    const { results, references } = await evaluateAgain(outcome.path, text);
    const comparable = (rows: RunOutcome['results']) =>
      rows.map(({ model, seed, metrics, slices, numTargets, numUnknownTargets, evaluateWindow }) => ({
        key: `${model} ${seed}`,
        evaluateWindow,
        metrics,
        slices,
        numTargets,
        numUnknownTargets,
      }));
    const byKey = (a: { key: string }, b: { key: string }) => (a.key < b.key ? -1 : 1);
    const last = outcome.results.filter(({ evaluateWindow }) => evaluateWindow === '2024-01-03');
    expect(last).toHaveLength(7);
    expect(comparable(results).sort(byKey)).toEqual(comparable(last).sort(byKey));
    expect(references).toEqual(['oracle']);
    expect([...new Set(results.map(({ model }) => model))]).toEqual(['oracle', 'popularity', 'gru4rec', 'sasrec']);
  });

  test('by other rules, and one model alone', async () => {
    const { summaries } = await evaluateAgain(
      outcome.path,
      text,
      ['evaluation.metrics=[mrr@3]', 'evaluation.seenItems=exclude'],
      ['sasrec'],
    );
    expect(summaries.map(({ model, numSeeds, metrics }) => [model, numSeeds, Object.keys(metrics)])).toEqual([
      ['sasrec', 2, ['mrr@3']],
    ]);
    await expect(evaluateAgain(outcome.path, text, [], ['sasrek'])).rejects.toThrow(
      "--model sasrek: the run has kept gru4rec, popularity, sasrec; did you mean 'sasrec'?",
    );
  });

  test('on the days that came later too, without learning them', async () => {
    const { results } = await evaluateAgain(outcome.path, text, ['windows.count=4'], ['popularity']);
    const own = results.filter(({ model, seed }) => model === 'popularity' && seed === 1);
    expect(own.map(({ evaluateWindow, trainWindows }) => [evaluateWindow, trainWindows])).toEqual([
      ['2024-01-03', ['2024-01-01', '2024-01-02']],
      ['2024-01-04', ['2024-01-01', '2024-01-02']],
    ]);
    await expect(evaluateAgain(outcome.path, text, ['windows.count=2'])).rejects.toThrow(
      'the model has learned up to 2024-01-02, and no window of the log is later',
    );
  });

  test('a folder without models is refused', async () => {
    await expect(evaluateAgain(folder, text)).rejects.toThrow(
      'no model is kept in it; expected the folder of a finished run',
    );
  });
});

test('a report shows what is recommended to sessions, users and made-up sessions, by title', async () => {
  const rows = Array.from({ length: 40 }, (_, user) =>
    Array.from({ length: 4 }, (_, i) => `u${user},${(user + i) % 8},${1_700_000_000 + 600 * i}`),
  ).flat();
  await writeFile(join(folder, 'log.csv'), `user,film,time\n${rows.join('\n')}\nlonely,7,1700000000\n`);
  await writeFile(
    join(folder, 'films.csv'),
    `id,name\n${Array.from({ length: 8 }, (_, i) => `${i},Film ${'ABCDEFGH'[i]}`).join('\n')}\n`,
  );
  const text = `name: films
dataset: { files: ${join(folder, 'log.csv')}, columns: { user: user, item: film, timestamp: time } }
sessions: { by: user, gapMinutes: none, minLength: 1 }
windows: { policy: leaveOneOut }
models: [{ name: markov }, { name: popularity, over: all }]
evaluation: { metrics: [hr@3], seenItems: exclude }
report:
  samples: 1
  sampleLength: 3
  users: [lonely, stranger]
  sessions: [[Film C, 3]]
  titles: { file: ${join(folder, 'films.csv')}, item: id, title: name }
backend: cpu
`;
  const { samples, path, summaries } = await run(text);
  expect(samples.map(({ title, visible, next }) => [title, visible.map((item) => item.title), next?.title])).toEqual([
    // The session in the middle of 40, ordered by start and name: user 27 saw films 3 4 5, then 6.
    ['Session 1 of the evaluated window', ['Film D', 'Film E', 'Film F'], 'Film G'],
    ['User lonely', ['Film H'], undefined],
    ['User stranger', [], undefined],
    ['Made-up session 1', ['Film C', 'Film D'], undefined],
  ]);
  // In the order of the file, though popularity is computed first.
  expect(samples.map(({ lists }) => lists.map(({ model }) => model))).toEqual(
    samples.map(() => ['markov', 'popularity']),
  );
  expect(summaries.map(({ model }) => model)).toEqual(['markov', 'popularity']);
  const listOf = (sample: number, model: string) => samples[sample].lists.find((list) => list.model === model);
  // Of every film the chain goes on with the next one.
  expect(listOf(0, 'markov')?.items[0].title).toBe('Film G');
  expect(listOf(1, 'markov')?.items[0].title).toBe('Film A');
  expect(listOf(3, 'markov')?.items[0].title).toBe('Film E');
  expect(listOf(2, 'markov')).toEqual({ model: 'markov', items: [], warning: 'session 0 has no items' });
  const html = await readFile(join(path, 'report.html'), 'utf8');
  expect(html).toContain('<td class="hit">Film G</td>');
  expect(html).toContain('No list of any model: the session has no items.');
  const markdown = await readFile(join(path, 'report.md'), 'utf8');
  expect(markdown).toContain('seen: Film D → Film E → Film F\\\nnext: **Film G**');
  expect(markdown).toMatch(/^\| 1 \| \*\*Film G\*\* \|/m);
  const items = JSON.parse(await readFile(join(path, 'models', 'markov-seed1', 'items.json'), 'utf8'));
  expect(items.titles['0']).toBe('Film A');
});
