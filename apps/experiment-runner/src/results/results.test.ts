import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jest } from '@jest/globals';
import { resultsCommand } from '../cli/results-command.ts';
import { collectResults, mergeResults } from './collect-results.ts';
import { readKeptRows } from './kept-rows.ts';
import { readResultsDefinition } from './results-definition.ts';
import { renderResults } from './results-page.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nimue-results-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function addRun(
  name: string,
  experiment: string,
  split: string,
  model: string,
  mean: number,
  startedAt = '2026-01-02T00:00:00Z',
): void {
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
    startedAt,
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
    '| model | ndcg@10 | published | windows | seeds | train s | evaluate s | memory MiB |',
    '| sasrec | .1900 ± – | .1821 (+.0079) | 1 | 1 | 12 | 4 | 3 |',
    '| popularity | .0200 ± – |  | 1 | 1 | 12 | 4 | 3 |',
    '| bert4rec | not run | .1537 |  |  |  |  |  |',
    '| model | experiment | finished run | commit | data | machine |',
    '| sasrec | ml | 2026-01-02 | 0123456789 | feedfacecafebeef | 2 × A processor, native (avx2, 2 threads) |',
    '| popularity | ml | 2026-01-02 | 0123456789 | feedfacecafebeef | 2 × A processor, native (avx2, 2 threads) |',
  ]);
  expect(page).toContain('BERT4Rec was not run.');
  expect(page).toContain('- bert4rec: Another paper');
});

describe('rows outlive the folders of their runs', () => {
  const figures = () =>
    readFileSync(join(folder, 'ml.md'), 'utf8')
      .split('\n')
      .filter((line) => /^\| .* ± /.test(line))
      .map((line) => line.split('|').slice(1, 3).join('').replace(/ +/g, ' ').trim());
  const keptPath = () => join(folder, 'ml.rows.jsonl');
  const report = () => resultsCommand(folder, folder, {});
  let write: jest.SpiedFunction<typeof process.stdout.write>;
  beforeEach(() => {
    define();
    write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  });
  afterEach(() => write.mockRestore());

  test('a later run replaces its model alone, an earlier one nothing; the table is written without any run', async () => {
    addRun('1', 'ml', 'test', 'sasrec', 0.1, '2026-01-02T00:00:00Z');
    addRun('2', 'ml', 'test', 'popularity', 0.02, '2026-01-02T00:00:00Z');
    await report();
    expect(figures()).toEqual(['sasrec .1000 ± –', 'popularity .0200 ± –']);
    expect(readFileSync(keptPath(), 'utf8')).not.toContain(folder);

    rmSync(join(folder, 'index.jsonl'));
    addRun('3', 'ml', 'test', 'sasrec', 0.19, '2026-01-03T00:00:00Z');
    addRun('4', 'ml', 'test', 'popularity', 0.5, '2026-01-01T00:00:00Z');
    addRun('5', 'ml', 'test', 'ease', 0.05, '2026-01-03T00:00:00Z');
    await report();
    const all = ['sasrec .1900 ± –', 'ease .0500 ± –', 'popularity .0200 ± –'];
    expect(figures()).toEqual(all);

    rmSync(join(folder, 'index.jsonl'));
    const [kept, page] = [readFileSync(keptPath(), 'utf8'), readFileSync(join(folder, 'ml.md'), 'utf8')];
    await report();
    expect([readFileSync(keptPath(), 'utf8'), readFileSync(join(folder, 'ml.md'), 'utf8')]).toEqual([kept, page]);
  });

  test('a row whose experiment is no longer named goes', async () => {
    addRun('1', 'ml', 'test', 'sasrec', 0.1);
    await report();
    writeFileSync(keptPath(), readFileSync(keptPath(), 'utf8').replace('"experiment":"ml"', '"experiment":"old"'));
    addRun('2', 'ml', 'test', 'ease', 0.05);
    rmSync(join(folder, 'index.jsonl'));
    addRun('2', 'ml', 'test', 'ease', 0.05);
    await report();
    expect(figures()).toEqual(['ease .0500 ± –']);
  });

  test('a line that is no row is named, and nothing is written', async () => {
    addRun('1', 'ml', 'test', 'sasrec', 0.1);
    await report();
    const row = readFileSync(keptPath(), 'utf8');
    for (const [text, message] of [
      [`${row}{"model"`, /ml\.rows\.jsonl:2: expected a row of results as JSON; .* take the file back/],
      [row.replace('0.1', '"0.1"'), /ml\.rows\.jsonl:1: metrics\.ndcg@10\.mean: .*expected number/],
      [row.replace('"model":"sasrec",', ''), /ml\.rows\.jsonl:1: model: /],
      [row.replace('"model"', '"note":"x","model"'), /ml\.rows\.jsonl:1: row: .*note/],
    ] as const) {
      writeFileSync(keptPath(), text);
      await expect(report()).rejects.toThrow(message);
      expect(readFileSync(keptPath(), 'utf8')).toBe(text);
    }
  });
});

test('a definition with an unknown key, without a title or that is no YAML is refused with line and column', async () => {
  const refused = (text: string) => expect(readResultsDefinition(define(text))).rejects;
  await refused(`${DEFINITION}acount: x\n`).toThrow(/ml\.yaml:9:1: acount: unknown key; did you mean 'account'\?/);
  await refused('protocol: x\n').toThrow(/ml\.yaml:1:1: title: /);
  await refused('title: [\n').toThrow(/ml\.yaml:\d+:\d+: /);
  await expect(readResultsDefinition(join(folder, 'no.yaml'))).rejects.toThrow(/no\.yaml: not found/);
});

const RESULTS = new URL('../../results/', import.meta.url);

test.each(
  readdirSync(RESULTS)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.replace(/\.yaml$/, '')),
)('results/%s.md is what its definition and its rows say', async (name) => {
  const path = (ending: string) => fileURLToPath(new URL(`${name}${ending}`, RESULTS));
  const definition = await readResultsDefinition(path('.yaml'));
  const rows = mergeResults(definition, await readKeptRows(path('.rows.jsonl')), []);
  expect(renderResults(definition, rows)).toBe(readFileSync(path('.md'), 'utf8'));
});
