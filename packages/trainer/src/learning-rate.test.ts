import { assertClose } from '@nimue/testing';
import { learningRateAt } from './learning-rate.ts';

const at = (schedule: 'constant' | 'linear' | 'cosine', warmupShare: number, numSteps: number) =>
  Array.from({ length: numSteps }, (_, i) =>
    learningRateAt(i + 1, numSteps, { learningRate: 8, schedule, warmupShare }),
  );

test.each([
  ['constant', 0, [8, 8, 8, 8]],
  ['constant', 0.5, [4, 8, 8, 8]],
  ['linear', 0, [8, 6, 4, 2]],
  ['linear', 1, [2, 4, 6, 8]],
  ['cosine', 0, [8, 4 + 2 * Math.SQRT2, 4, 4 - 2 * Math.SQRT2]],
  ['cosine', 0.25, [8, 8, 6, 2]],
] as const)('%s with warm-up %p by hand', (schedule, warmupShare, expected) => {
  assertClose('rates', at(schedule, warmupShare, 4), expected, 1e-12);
});

test('one step is taken at the full rate', () => {
  expect(at('linear', 0, 1)).toEqual([8]);
});
