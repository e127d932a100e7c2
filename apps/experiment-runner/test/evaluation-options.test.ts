import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createNimueContainer, servicesOf } from '@nimue/container';
import { parseExperiment } from '../src/experiment/load-experiment.ts';
import { renderTerminal } from '../src/report/terminal-report.ts';
import { type RunOutcome, runExperiment } from '../src/run/run-experiment.ts';
import { TINY_EXPERIMENT } from './tiny-experiment.ts';

const services = servicesOf(createNimueContainer({ logger: { info: () => {}, warn: () => {} } }));
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nimue-evaluation-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** day, session, item, user, what happened; one minute apart. Training on day 1: a 3 times, b 2, c 1. */
const LOG = [
  '1 s1 a ann view',
  '1 s1 b ann view',
  '1 s2 a bob view',
  '1 s2 b bob buy',
  '1 s3 a ann view',
  '1 s3 c ann view',
  '2 s4 a ann view',
  '2 s4 c ann buy',
  '2 s4 b ann view',
  '2 s5 c cid view',
  '2 s5 a cid view',
  '2 s6 b bob view',
  '2 s6 d bob buy',
];

async function run(evaluation: string, log = LOG, models = '{ name: popularity, over: all }'): Promise<RunOutcome> {
  const rows = log
    .map((line) => line.split(' '))
    .map(([day, ...rest], minute) => `2024-01-0${day} 22:${String(minute).padStart(2, '0')}:00,${rest.join(',')}`);
  await writeFile(join(folder, 'log.csv'), `time,session,item,user,type\n${rows.join('\n')}\n`);
  const text = `name: evaluation
dataset: { files: ${join(folder, 'log.csv')}, columns: { session: session, item: item, timestamp: time } }
windows: { span: day, timeZone: UTC }
split: { validShare: 0 }
models: [${models}]
evaluation: { metrics: [mrr@5], ${evaluation} }
backend: cpu
`;
  const directories = { runsDirectory: join(folder, 'runs'), preparedDirectory: join(folder, 'prepared') };
  return runExperiment(parseExperiment('e.yaml', text, services), services, directories);
}

const mrrOf = ({ results }: RunOutcome) => results[0].metrics['mrr@5'];

test('purchases alone are targets, and users that training has not met stand apart', async () => {
  const outcome = await run('targets: { column: type, is: [buy] }, slices: [{ seen: user }, { column: user }]');
  // c after a: place 3; d is unknown.
  expect(mrrOf(outcome)).toBeCloseTo(1 / 3 / 2, 12);
  expect(outcome.results[0]).toMatchObject({ numTargets: 2, numUnknownTargets: 1 });
  const all = await run('slices: [{ seen: user }, { column: user }, hourOfDay]');
  const rows = all.summaries[0].slices.map(({ slice, part, numTargets, metrics }) => [
    slice,
    part,
    numTargets,
    metrics['mrr@5'],
  ]);
  expect(rows).toEqual([
    ['user in training', 'new', 1, 1],
    ['user in training', 'seen', 2, 1 / 2 / 2],
    ['user', 'ann', 1, 1 / 2],
    ['user', 'cid', 1, 1],
    ['user', 'bob', 1, 0],
    ['hourOfDay', '22:00', 3, 1 / 2],
  ]);
  const report = await readFile(join(outcome.path, 'report.md'), 'utf8');
  expect(report).toContain('Target: the last event whose type is buy of each session of the test half of a window');
});

test('candidates of a file, and what is said of them', async () => {
  const file = join(folder, 'alive.csv');
  await writeFile(file, 'window,item_id\n2024-01-02,b\n2024-01-02,c\n');
  const outcome = await run(`candidates: { file: ${file}, window: window }`);
  // Targets b (first of b and c), a (no candidate), d (unknown).
  expect(mrrOf(outcome)).toBeCloseTo(1 / 3, 12);
  expect(outcome.results[0]).toMatchObject({ numExcludedTargets: 1, numUnknownTargets: 1 });
  const report = await readFile(join(outcome.path, 'report.md'), 'utf8');
  expect(report).toContain(`Ranking scope: the items listed in ${file}, by the window in 'window'`);
});

test('ranks among sampled items are labelled in every output', async () => {
  const log = ['1 s0 e ann view', '1 s0 e ann view', ...LOG];
  const outcome = await run('sampledNegatives: 1, slices: [history]', log);
  expect(Object.keys(outcome.results[0].metrics)).toEqual(['mrr@5 of 2 sampled']);
  for (const name of ['report.md', 'report.html', 'metrics.csv', 'metrics.jsonl']) {
    expect(await readFile(join(outcome.path, name), 'utf8')).toContain('mrr@5 of 2 sampled');
  }
  expect(await readFile(join(outcome.path, 'report.md'), 'utf8')).toContain('SAMPLED: each target is ranked among 1');
});

test('a list as long as half of what can be recommended is called out', async () => {
  const outcome = await run('ties: conservative');
  const note = 'TOO FEW ITEMS: in window 2024-01-02 only 3 items could be recommended, so mrr@5 says little';
  expect(await readFile(join(outcome.path, 'report.md'), 'utf8')).toContain(note);
  expect(renderTerminal(outcome)).toContain(note);
});

test('a column that the log lacks is refused before anything is trained', async () => {
  await expect(run('slices: [{ column: device }]')).rejects.toThrow(/device/);
  await expect(run('targets: { column: type, is: [purchase] }')).rejects.toThrow(
    "evaluation.targets.is: column 'type' never has the value 'purchase'; it has 'buy', 'view'",
  );
});

const MULTI_TASK = `{ name: gru4rec, hiddenSize: 4, training: { epochs: 1 }, loss: { name: weightedSum, parts: [
  { name: crossEntropy }, { name: binary, column: type, is: [buy], as: bought, weight: 0.5 }] } }`;

test('a model of several tasks: what its heads are worth stands in every output', async () => {
  const outcome = await run('ties: conservative', LOG, MULTI_TASK);
  // Targets: b viewed, a viewed, d bought.
  const { heads = [] } = outcome.results[0];
  expect(heads).toMatchObject([{ head: 'bought', kind: 'binary', numLabels: 3 }]);
  expect(heads[0].metrics.shareOfYes).toBeCloseTo(1 / 3, 12);
  expect(heads[0].metrics.auc * 2).toBe(Math.round(heads[0].metrics.auc * 2));
  expect(renderTerminal(outcome)).toContain('binary head bought:');
  const report = await readFile(join(outcome.path, 'report.md'), 'utf8');
  expect(report).toContain('## binary head bought\n\n| model | labels | auc | logLoss | accuracy | shareOfYes |');
  expect(await readFile(join(outcome.path, 'report.html'), 'utf8')).toContain('<h2>binary head bought</h2>');
  expect(await readFile(join(outcome.path, 'metrics.csv'), 'utf8')).toContain('logLoss of bought');
  expect(await readFile(join(outcome.path, 'metrics.jsonl'), 'utf8')).toContain('"head":"bought"');
});

test('a model that would not learn to rank is refused, and a head of a column that is not there', async () => {
  const alone = '{ name: gru4rec, loss: { name: binary, column: type, is: [buy] } }';
  await expect(run('ties: conservative', LOG, alone)).rejects.toThrow(
    "'binary' alone would not teach gru4rec which item comes next; make it a part of weightedSum",
  );
  const lanes = MULTI_TASK.replace('epochs: 1', 'epochs: 1, sessionParallel: true');
  await expect(run('ties: conservative', LOG, lanes)).rejects.toThrow(
    "training.sessionParallel carries no labels, which the head 'bought' of gru4rec is taught",
  );
  await expect(run('ties: conservative', LOG, MULTI_TASK.replace('column: type', 'column: kind'))).rejects.toThrow(
    /kind/,
  );
});

test('ranks among sampled items beside those over the catalogue: each as if it stood alone', async () => {
  // Two items more, so that something can be drawn for every target.
  const log = ['1 s0 e zoe view', '1 s0 f zoe view', ...LOG];
  const both = await run('alsoSampled: 1', log);
  const whole = await run('seenItems: keep', log);
  const sampled = await run('sampledNegatives: 1', log);
  const { metrics, slices } = both.results[0];
  expect(metrics).toEqual({ ...whole.results[0].metrics, ...sampled.results[0].metrics });
  expect(Object.keys(metrics)).toEqual(['mrr@5', 'mrr@5 of 2 sampled']);
  expect(metrics['mrr@5 of 2 sampled']).toBeGreaterThan(metrics['mrr@5']);
  expect(slices).toBeUndefined();
  expect(both.results[0].numUnknownTargets).toBe(1);
  const report = await readFile(join(both.path, 'report.md'), 'utf8');
  expect(report).toContain('| model | mrr@5 | mrr@5 of 2 sampled |');
  expect(report).toContain('Ranking scope: the whole catalogue known so far, never a sample of it.');
  expect(report).toContain('Figures "of 2 sampled" are SAMPLED: the same targets among 1 random items');
  expect(report).toContain('## mrr@5 of 2 sampled per window');
  expect(renderTerminal(both)).toContain('of 2 sampled: flattering ranks');
  await expect(run('alsoSampled: 1, sampledNegatives: 1')).rejects.toThrow(
    'evaluation.alsoSampled: stands beside ranks over the catalogue, and sampledNegatives takes their place',
  );
});

test('the best epochs by several metrics: chosen on valid, shown with their curves; and what is forgotten', async () => {
  const text = TINY_EXPERIMENT.replace('epochs: 2', 'epochs: 4, keepBest: [ndcg@5, hr@5]').replace(
    'split: test',
    'split: test, earlierWindows: all',
  );
  const directories = { runsDirectory: join(folder, 'runs'), preparedDirectory: join(folder, 'prepared') };
  const outcome = await runExperiment(parseExperiment('e.yaml', text, services), services, directories);
  const own = outcome.results.filter(({ model }) => model === 'sasrec');
  const best = own.map(({ best = [] }) => best.find(({ metric }) => metric === 'hr@5')!);
  expect(best).toHaveLength(3);
  // What was chosen is the highest point of the curve, the first of equal ones.
  const points = outcome.curves.filter(({ model }) => model === 'sasrec');
  for (const [windowIndex, { epoch, value }] of best.entries()) {
    const course = points.filter((point) => point.windowIndex === windowIndex).map((p) => p.validation?.['hr@5'] ?? 0);
    expect(course).toHaveLength(4);
    expect(value).toBe(Math.max(...course));
    expect(epoch).toBe(course.indexOf(value) + 1);
  }
  const mean = best.reduce((sum, { metrics }) => sum + metrics['ndcg@5'], 0) / 3;
  const [from, to] = [Math.min(...best.map(({ epoch }) => epoch)), Math.max(...best.map(({ epoch }) => epoch))];
  const row = `| sasrec | hr@5 | ${from === to ? from : `${from}–${to}`} |`;
  const markdown = await readFile(join(outcome.path, 'report.md'), 'utf8');
  expect(markdown).toContain('## Best epochs, chosen on valid, on test');
  const line = markdown.split('\n').find((one) => one.startsWith(row));
  expect(line).toContain(` | ${mean.toFixed(4).slice(1)} ± `);
  expect(markdown).toContain('## Forgotten of windows that were learned');
  const html = await readFile(join(outcome.path, 'report.html'), 'utf8');
  expect(html.match(/<h3>[^<]* by epoch<\/h3>/g)).toEqual([
    '<h3>Loss by epoch</h3>',
    '<h3>Learning rate by epoch</h3>',
    '<h3>ndcg@5 on valid by epoch</h3>',
    '<h3>hr@5 on valid by epoch</h3>',
  ]);
  const csv = await readFile(join(outcome.path, 'metrics.csv'), 'utf8');
  expect(csv).toContain(`sasrec,1,0,2024-01-02,epoch of best hr@5,${best[0].epoch}\n`);
});
