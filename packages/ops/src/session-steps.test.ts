import { sessionSteps } from './session-steps.ts';

test('longer sessions first, step by step; empty ones take no part', () => {
  // sessions of 2, 0, 3 and 1 positions: packed rows 0 1 | | 2 3 4 | 5
  const steps = sessionSteps(Int32Array.of(0, 2, 2, 5, 6));
  expect([...steps.starts]).toEqual([0, 3, 5, 6]);
  expect([...steps.toSteps]).toEqual([2, 0, 5, 3, 1, 4]);
  expect([...steps.toPacked]).toEqual([1, 4, 0, 3, 5, 2]);
  // second positions of the sessions at rows 0 and 1, third position of that at row 0
  expect([...steps.toPrevious]).toEqual([0, 1, 3]);
});
