import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectResults } from './collect-results.ts';
import { readResultsDefinition } from './results-definition.ts';
import { renderResults } from './results-page.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nimue-results-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function addRun(name: string, experiment: string, split: string, model: string, mean: number): void {
  const run = join(folder, experiment, name);
  mkdirSync(run, { recursive: true });
  const environment = {
    cpu: 'A processor',
    cores: 2,
    backend: { name: 'native', description: 'avx2, 2 threads' },
    git: { commit: '0123456789abcdef', isModified: false },
    data: { checksum: 'sha256:feedfacecafebeef00', key: 'k', directory: 'd' },
  };
  writeFileSync(join(run, 'environment.json'), JSON.stringify(environment));
  const metrics = { 'ndcg@10': { mean, standardError: null, count: 1 } };
  const models = [
    { model, metrics, trainSeconds: 12.3, evaluateSeconds: 4.4, numSeeds: 1, numWindows: 1, memoryBytes: 3 * 2 ** 20 },
  ];
  const line = {
    experiment,
    run,
    startedAt: '2026-01-02T00:00:00Z',
    backend: 'native',
    data: 'feedface',
    split,
    models,
  };
  writeFileSync(join(folder, 'index.jsonl'), `${JSON.stringify(line)}\n`, { flag: 'a' });
}

const DEFINITION = `title: MovieLens
protocol: Last item held out.
experiments: [{ name: ml, file: ml.yaml, command: nimue run ml.yaml }]
metrics: [ndcg@10]
published:
  - { model: sasrec, values: { ndcg@10: 0.1821 }, source: A paper }
  - { model: bert4rec, values: { ndcg@10: 0.1537 }, source: Another paper }
account: BERT4Rec was not run.
`;

function define(text = DEFINITION): string {
  const path = join(folder, 'ml.yaml');
  writeFileSync(path, text);
  return path;
}

test('the newest run of a model on the test split, beside what was published, and what was not run', async () => {
  addRun('1', 'ml', 'test', 'sasrec', 0.1);
  addRun('2', 'ml', 'test', 'sasrec', 0.19);
  addRun('3', 'ml', 'valid', 'sasrec', 0.9);
  addRun('4', 'other', 'test', 'sasrec', 0.8);
  addRun('5', 'ml', 'test', 'popularity', 0.02);
  const definition = await readResultsDefinition(define());
  const page = renderResults(definition, await collectResults(folder, definition));
  expect(page.split('\n').filter((line) => line.startsWith('| '))).toEqual([
    '| model | ndcg@10 | published | seeds | train s | evaluate s | memory MiB |',
    '| sasrec | .1900 ± – | .1821 (+.0079) | 1 | 12 | 4 | 3 |',
    '| popularity | .0200 ± – |  | 1 | 12 | 4 | 3 |',
    '| bert4rec | not run | .1537 |  |  |  |  |',
    '| model | experiment | finished run | commit | data | machine |',
    '| sasrec | ml | 2026-01-02 | 0123456789 | feedfacecafebeef | 2 × A processor, native (avx2, 2 threads) |',
    '| popularity | ml | 2026-01-02 | 0123456789 | feedfacecafebeef | 2 × A processor, native (avx2, 2 threads) |',
  ]);
  expect(page).toContain('BERT4Rec was not run.');
  expect(page).toContain('- bert4rec: Another paper');
});

test('a definition with an unknown key, without a title or that is no YAML is refused with line and column', async () => {
  const refused = (text: string) => expect(readResultsDefinition(define(text))).rejects;
  await refused(`${DEFINITION}acount: x\n`).toThrow(/ml\.yaml:9:1: acount: unknown key; did you mean 'account'\?/);
  await refused('protocol: x\n').toThrow(/ml\.yaml:1:1: title: /);
  await refused('title: [\n').toThrow(/ml\.yaml:\d+:\d+: /);
  await expect(readResultsDefinition(join(folder, 'no.yaml'))).rejects.toThrow(/no\.yaml: not found/);
});
