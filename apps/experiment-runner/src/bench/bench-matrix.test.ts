import { expect, test } from '@jest/globals';
import { toSpecs } from '@nimue/container';
import { type ObjectiveSpec, objectives } from '@nimue/data';
import { losses } from '@nimue/losses';
import { models } from '@nimue/models';
import { stringify } from 'yaml';
import { parseExperiment } from '../experiment/load-experiment.ts';
import { type BenchResult, benchCells, benchExperiment, benchMarkdown, judgeBench } from './bench-matrix.ts';

const STORED: BenchResult = {
  dataset: 'shop',
  model: 'sasrec',
  backend: 'cpu',
  metrics: { 'ndcg@10': 0.3, 'hr@10': 0.5 },
  trainEventsPerSecond: 1000,
  memoryMiB: 100,
};

test('every cell is an experiment', () => {
  const catalogue = {
    models: toSpecs(models),
    losses: toSpecs(losses),
    objectives: toSpecs<ObjectiveSpec>(objectives),
  };
  const cells = benchCells(['cpu', 'wasm']);
  expect(cells).toHaveLength(20);
  for (const cell of cells) {
    const experiment = parseExperiment('cell.yaml', stringify(benchExperiment(cell)), catalogue);
    expect(experiment.name).toBe(`bench-${cell.dataset}-${cell.model}-${cell.backend}`);
  }
});

test('accuracy has a band on both sides, speed a ratio', () => {
  const of = (ndcg: number) =>
    judgeBench({ ...STORED, metrics: { 'ndcg@10': ndcg, 'hr@10': 0.5 }, trainEventsPerSecond: 2500 }, STORED);
  expect(of(0.31)).toMatchObject({ isWithinBand: true, speedRatio: 2.5 });
  expect(of(0.27).isWithinBand).toBe(false);
  expect(of(0.33).isWithinBand).toBe(false);
  expect(of(Number.NaN).isWithinBand).toBe(false);
  expect(judgeBench({ ...STORED, metrics: {} }, STORED).isWithinBand).toBe(false);
  expect(judgeBench(STORED, undefined)).toEqual({ result: STORED, isWithinBand: true });
});

test('the table says what is outside', () => {
  const text = benchMarkdown([judgeBench({ ...STORED, metrics: { 'ndcg@10': 0.2, 'hr@10': 0.5 } }, STORED)]);
  expect(text.split('\n')[2]).toBe(
    '| shop | sasrec | cpu | 0.2000 | 0.5000 | 0.1000 **outside** | 1,000 | 1.00× | 100 |',
  );
});
