import * as tf from '@tensorflow/tfjs';
import { useBackend } from '../test/backends.ts';
import { sampleItems } from './index.ts';

beforeAll(() => useBackend('cpu'));

/** Scores of the items 3, 4, 5 for every row: ln 1, ln 2, ln 5. */
const draw = (numRows: number, options: { temperature?: number; seed: number }) =>
  tf.tidy(() => {
    const table = tf.tensor2d([[9], [9], [9], [0], [Math.log(2)], [Math.log(5)]]);
    return sampleItems(tf.ones([numRows, 1]), table, options);
  });

function expectShares(itemIds: Int32Array, expected: readonly number[]): void {
  for (const [i, share] of expected.entries()) {
    const actual = itemIds.filter((id) => id === 3 + i).length / itemIds.length;
    expect(Math.abs(actual - share)).toBeLessThan(0.0142);
  }
}

test('items come as often as the softmax says, reserved ids never', () => {
  const itemIds = draw(20_000, { seed: 7 });
  // 1 : 2 : 5 of 8; four standard errors of 20,000 draws are at most .0142
  expectShares(itemIds, [1 / 8, 2 / 8, 5 / 8]);
  expect(Math.min(...itemIds)).toBe(3);
});

test('the temperature flattens or sharpens', () => {
  // at τ = ½ the odds are squared: 1 : 4 : 25 of 30
  expectShares(draw(20_000, { seed: 8, temperature: 0.5 }), [1 / 30, 4 / 30, 25 / 30]);
});

test('same seed, same draws; another seed, others; a row does not depend on how many there are', () => {
  const first = draw(50, { seed: 1 });
  expect(draw(50, { seed: 1 })).toEqual(first);
  expect(draw(50, { seed: 2 })).not.toEqual(first);
  expect(draw(20, { seed: 1 })).toEqual(first.slice(0, 20));
  expect(draw(0, { seed: 1 })).toHaveLength(0);
});

test('refuses what cannot be drawn from', () => {
  expect(() => draw(1, { seed: 1, temperature: 0 })).toThrow('temperature must be > 0, got 0');
  expect(() => tf.tidy(() => sampleItems(tf.ones([1, 1]), tf.ones([3, 1]), { seed: 1 }))).toThrow('has no items');
  expect(() =>
    tf.tidy(() => sampleItems(tf.ones([2, 1]), tf.tensor2d([[0], [0], [0], [0], [Number.NaN]]), { seed: 1 })),
  ).toThrow('sampleItems: the score of row 0, item id 4 is NaN');
});
