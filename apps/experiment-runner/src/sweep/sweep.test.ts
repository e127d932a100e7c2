import { describe, expect, test } from '@jest/globals';
import { cellKey, codeVersion } from './cell-key.ts';
import { planCells, rungBudgets } from './plan-cells.ts';
import { sweepSchema } from './sweep-schema.ts';

describe('cells', () => {
  test('grid: every combination, the last path fastest', () => {
    const sweep = sweepSchema.parse({
      strategy: 'grid',
      values: { 'windows.policy': ['a', 'b'], 'training.epochs': [1, 2] },
    });
    expect(planCells(sweep)).toEqual([
      { 'windows.policy': 'a', 'training.epochs': 1 },
      { 'windows.policy': 'a', 'training.epochs': 2 },
      { 'windows.policy': 'b', 'training.epochs': 1 },
      { 'windows.policy': 'b', 'training.epochs': 2 },
    ]);
  });

  test('random: within the ranges, the same for the same seed', () => {
    const values = { 'training.learningRate': { min: 1e-4, max: 1e-1, scale: 'log' }, 'models.0.hiddenSize': [8, 16] };
    const sweep = sweepSchema.parse({ strategy: 'random', numCells: 400, seed: 3, values });
    const cells = planCells(sweep);
    const rates = cells.map((cell) => Number(cell['training.learningRate']));
    expect(Math.min(...rates)).toBeGreaterThanOrEqual(1e-4);
    expect(Math.max(...rates)).toBeLessThanOrEqual(1e-1);
    // A third of the draws in each decade, 400 · 1/3 ± 4 standard deviations.
    expect(Math.abs(rates.filter((rate) => rate < 1e-3).length - 133)).toBeLessThan(38);
    expect(planCells(sweep)).toEqual(cells);
    expect(new Set(cells.map((cell) => cell['models.0.hiddenSize']))).toEqual(new Set([8, 16]));
  });

  test('halving: budgets grow by the factor up to the largest', () => {
    const sweep = sweepSchema.parse({ strategy: 'halving', numCells: 9, maxBudget: 10, values: { x: [1] } });
    if (sweep.strategy !== 'halving') throw new Error('unreachable');
    expect(rungBudgets(sweep)).toEqual([1, 3, 9, 10]);
  });
});

test('a key changes with options, data and code, not with the name or the order of keys', () => {
  const key = cellKey({ name: 'a', training: { epochs: 1, batchSize: 2 } }, 'data', 'code');
  expect(cellKey({ training: { batchSize: 2, epochs: 1 }, name: 'b', sweep: {} }, 'data', 'code')).toBe(key);
  const others = [
    cellKey({ training: { epochs: 2, batchSize: 2 } }, 'data', 'code'),
    cellKey({ training: { epochs: 1, batchSize: 2 } }, 'data2', 'code'),
    cellKey({ training: { epochs: 1, batchSize: 2 } }, 'data', 'code2'),
  ];
  expect(new Set([key, ...others]).size).toBe(4);
});

test('the code of an image, which has no repository, is the commit that it was built from', async () => {
  const environment = { ...process.env, GIT_DIR: '/nowhere', NIMUE_COMMIT: undefined };
  const version = await codeVersion(environment);
  expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  expect(await codeVersion({ ...environment, NIMUE_COMMIT: 'abc123' })).toBe(`${version} abc123`);
});
