import { assertClose, causalBatch, checkerboardSessions, numericGradient } from './index.ts';

test('numericGradient of x² + 3y', () => {
  const x = Float64Array.of(2, 5);
  assertClose(
    'gradient',
    numericGradient(() => x[0] ** 2 + 3 * x[1], x),
    [4, 3],
    1e-9,
  );
  expect([...x]).toEqual([2, 5]);
});

test('assertClose catches a difference, NaN and a length', () => {
  expect(() => assertClose('a', [1, 2], [1, 2.1])).toThrow('a[1]: got 2, expected 2.1');
  expect(() => assertClose('a', [Number.NaN], [1])).toThrow('a[0]: got NaN');
  expect(() => assertClose('a', [1], [1, 2])).toThrow('length 1, expected 2');
});

test('checkerboard sessions stay on their colour', () => {
  const sessions = checkerboardSessions(6, 3, 4);
  expect(sessions).toEqual([
    [3, 5, 7, 3],
    [4, 6, 8, 4],
    [5, 7, 3, 5],
  ]);
  const batch = causalBatch(sessions.slice(0, 1));
  expect([...batch.itemIds]).toEqual([3, 5, 7]);
  expect([...batch.targets.itemIds]).toEqual([5, 7, 3]);
  expect([...batch.targets.positions]).toEqual([0, 1, 2]);
});
