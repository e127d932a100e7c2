import { assertClose, causalBatch, checkerboardSessions, numericGradient, runExample } from './index.ts';

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
  const sessions = checkerboardSessions({ firstItemId: 3, numItems: 6, numSessions: 3, length: 4 });
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

test('runExample checks what follows an arrow and fails on a wrong value', async () => {
  const double = (x: number) => 2 * x;
  const code =
    "import { double } from 'somewhere';\nconst a = double(2); // → 4\n[a / 3]; // → Float64Array [1.333…]\n";
  expect(await runExample(code, { double })).toBe(2);
  await expect(runExample('double(2) // → 5', { double })).rejects.toThrow('`double(2) // → 5`: got 4');
});
