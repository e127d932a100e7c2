import { expect, test } from '@jest/globals';
import type { EpochPoint } from '../run/record-curves.ts';
import { curveTables } from './learning-curves.ts';

const point = (model: string, windowIndex: number, epoch: number, loss: number, valid?: number): EpochPoint => ({
  model,
  seed: 1,
  windowIndex,
  evaluateWindow: `w${windowIndex}`,
  epoch,
  step: 10 * epoch,
  loss,
  learningRate: 0.01 / epoch,
  numEvents: 5,
  validation: valid === undefined ? {} : { 'ndcg@5': valid },
});

test('a row per epoch: means over the windows, a dash where a model has no such epoch', () => {
  const curves = [point('a', 0, 1, 3, 0.25), point('a', 0, 2, 2), point('a', 1, 1, 1, 0.75), point('b', 0, 1, 8)];
  expect(curveTables({ curves })).toEqual([
    {
      title: 'Loss by epoch',
      head: ['epoch', 'a', 'b'],
      rows: [
        ['1', '2.000', '8.000'],
        ['2', '2.000', '–'],
      ],
    },
    {
      title: 'Learning rate by epoch',
      head: ['epoch', 'a', 'b'],
      rows: [
        ['1', '0.01', '0.01'],
        ['2', '0.005', '–'],
      ],
    },
    { title: 'ndcg@5 on valid by epoch', head: ['epoch', 'a'], rows: [['1', '.5000']] },
  ]);
});

test('many epochs have few rows, the last among them; without training there is no table', () => {
  const curves = Array.from({ length: 101 }, (_, e) => point('a', 0, e + 1, e));
  const epochs = curveTables({ curves })[0].rows.map(([epoch]) => Number(epoch));
  expect(epochs).toEqual(Array.from({ length: 17 }, (_, i) => 5 + 6 * i));
  expect(curveTables({ curves: [] })).toEqual([]);
});
