import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createNimueContainer, servicesOf } from '@nimue/container';
import type { WindowResult } from '@nimue/trainer';
import { parse } from 'yaml';
import { parseExperiment } from '../src/experiment/load-experiment.ts';
import { type RunOutcome, runExperiment } from '../src/run/run-experiment.ts';
import { countPopularityRanks } from './count-popularity.ts';
import { TINY_EXPERIMENT, TINY_SHOP } from './tiny-experiment.ts';

const lines: string[] = [];
let milliseconds = 0;
const services = servicesOf(
  createNimueContainer({
    logger: { info: (line) => lines.push(line), warn: (line) => lines.push(line) },
    clock: { now: () => new Date(Date.UTC(2024, 4, 1, 12, 0, milliseconds++)), elapsedMs: () => milliseconds++ },
  }),
);
const experiment = parseExperiment('tiny.yaml', TINY_EXPERIMENT, services);
let folder = '';
let outcome: RunOutcome;

const run = () =>
  runExperiment(experiment, services, {
    runsDirectory: join(folder, 'runs'),
    preparedDirectory: join(folder, 'prepared'),
  });
const resultsOf = (model: string, of: RunOutcome = outcome) => of.results.filter((result) => result.model === model);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nimue-run-'));
  outcome = await run();
});
afterAll(() => rm(folder, { recursive: true }));

describe('a tiny experiment from YAML to report', () => {
  test('has one result per model and window, the oracle first', () => {
    expect(outcome.results.map(({ model, evaluateWindow }) => `${model} ${evaluateWindow}`)).toEqual(
      ['oracle', 'popularity', 'gru4rec', 'sasrec'].flatMap((model) =>
        ['2024-01-02', '2024-01-03', '2024-01-04'].map((window) => `${model} ${window}`),
      ),
    );
  });

  test('popularity is what counting by hand gives', () => {
    const ranks = countPopularityRanks(TINY_SHOP);
    expect(resultsOf('popularity').map(({ numTargets }) => numTargets)).toEqual(ranks.map(({ length }) => length));
    for (const [day, result] of resultsOf('popularity').entries()) {
      const mean = (value: (rank: number) => number) =>
        ranks[day].reduce((sum, rank) => sum + value(rank), 0) / ranks[day].length;
      expect(result.metrics['hr@5']).toBeCloseTo(
        mean((rank) => (rank <= 5 ? 1 : 0)),
        12,
      );
      expect(result.metrics['ndcg@5']).toBeCloseTo(
        mean((rank) => (rank <= 5 ? 1 / Math.log2(rank + 1) : 0)),
        12,
      );
      expect(result.numUnknownTargets).toBe(ranks[day].filter((rank) => rank === Number.POSITIVE_INFINITY).length);
    }
  });

  test('the neural figures are the known ones', () => {
    const figures = (model: string) => resultsOf(model).map(({ metrics }) => metrics['ndcg@5']);
    const losses = (model: string) => resultsOf(model).map(({ loss }) => loss ?? Number.NaN);
    expectClose(figures('gru4rec'), [0.23598, 0.226383, 0.287132]);
    expectClose(losses('gru4rec'), [3.070536, 2.9932, 2.981582]);
    expectClose(figures('sasrec'), [0.219056, 0.187698, 0.185595]);
    expectClose(losses('sasrec'), [2.991106, 2.944354, 3.037709]);
  });

  test('the same seed gives the same figures again, from the data prepared before', async () => {
    const again = await run();
    const bare = ({ results }: RunOutcome) =>
      results.map(({ trainSeconds: _, evaluateSeconds: __, ...result }) => result);
    expect(bare(again)).toEqual(bare(outcome));
    expect(again.path).not.toBe(outcome.path);
    expect(again.environment.data).toEqual(outcome.environment.data);
  });

  test('summaries are means and errors over the windows', () => {
    for (const summary of outcome.summaries) {
      const values = resultsOf(summary.model).map(({ metrics }) => metrics['hr@5']);
      const mean = (values[0] + values[1] + values[2]) / 3;
      const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 2);
      expect(summary.metrics['hr@5'].mean).toBeCloseTo(mean, 12);
      expect(summary.metrics['hr@5'].standardError).toBeCloseTo(deviation / Math.sqrt(3), 12);
    }
  });

  test('the run folder holds experiment, environment, results and both reports', async () => {
    expect(outcome.path).toMatch(/runs\/tiny\/20240501-120000-[0-9a-f]{6}$/);
    const read = (name: string) => readFile(join(outcome.path, name), 'utf8');
    const results = (await read('metrics.jsonl'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as WindowResult);
    expect(results).toEqual(outcome.results.map(({ targetValues, ...result }) => result));
    const environment = JSON.parse(await read('environment.json'));
    expect(environment).toMatchObject({
      node: process.version,
      backend: { name: 'cpu', description: 'plain JavaScript, 1 thread' },
      data: { key: expect.stringMatching(/^[0-9a-f]{16}$/), checksum: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) },
    });
    expect(parse(await read('experiment.yaml'))).toEqual(experiment.resolved);
    expect(parseExperiment('experiment.yaml', await read('experiment.yaml'), services)).toEqual(experiment);
    expect(await read('report.md')).toMatch(
      new RegExp(`\\| popularity \\| (\\*\\*)?${tableFigure('popularity')}(\\*\\*)? \\|`),
    );
  });

  test('report.html is one file: the table, charts, no reference to anything outside', async () => {
    const html = await readFile(join(outcome.path, 'report.html'), 'utf8');
    expect(html).toMatch(new RegExp(`<th scope="row">popularity</th><td[^>]*>${tableFigure('popularity')}</td>`));
    // The oracle's figures are higher, but it is no model.
    const best = Math.max(...outcome.summaries.slice(1).map(({ metrics }) => metrics['ndcg@5'].mean));
    expect([...html.matchAll(/<td class="best">(\.\d{4}) ±/g)].map(([, mean]) => mean)).toEqual([
      best.toFixed(4).slice(1),
      expect.stringMatching(/^\.\d{4}$/),
    ]);
    // Four rows in each of two metrics, and two trained models in each of loss and learning rate.
    expect(html.match(/<polyline/g)).toHaveLength(12);
    expect(html).toContain('ties count against the model'.replace('ties', 'Ties'));
    expect(html).not.toMatch(/\b(?:src|srcset|action|poster)=|@import|url\(|<script|<iframe|<object|<embed/i);
    expect([...html.matchAll(/href="([^"]*)"/g)].map(([, target]) => target)).toEqual(['data:,']);
    expect(html).not.toMatch(/https?:\/\//);
  });

  test('says what it is about to do', () => {
    expect(lines.slice(0, 3)).toEqual([
      'backend: cpu (plain JavaScript, 1 thread)',
      expect.stringMatching(/^data: [\d,]+ events in 240 sessions on \d+ items, 4 windows 2024-01-01 … 2024-01-04$/),
      'plan: 3 models × 1 seed, incremental training, 3 evaluated windows',
    ]);
  });
});

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toEqual(expected.map((value) => expect.closeTo(value, 4)));
}

function tableFigure(model: string): string {
  const { mean, standardError } = outcome.summaries.find((summary) => summary.model === model)!.metrics['ndcg@5'];
  return `${mean.toFixed(4).slice(1)} ± ${standardError.toFixed(4).slice(1)}`;
}
