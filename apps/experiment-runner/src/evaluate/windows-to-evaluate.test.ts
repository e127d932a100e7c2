import { expect, test } from '@jest/globals';
import { planRollingEvaluation } from '@nimue/data';
import { windowsToEvaluate } from './windows-to-evaluate.ts';

const windows = ['2024-01-01', '2024-01-02', '2024-01-03', '2024-01-04'].map((id, day) => ({
  id,
  startMs: day,
  endMs: day + 1,
  numSessions: day === 2 ? 0 : 5,
  numEvents: 10,
}));
const dataset = { windows };
const incremental = planRollingEvaluation(windows, { policy: 'incremental' });
const none = { ...incremental, steps: [] };

test('trained as the plan trains: the steps as they were, and the window after the last', () => {
  expect(windowsToEvaluate(['2024-01-01', '2024-01-02'], dataset, incremental)).toEqual({
    learned: [[0], [1]],
    evaluateWindows: [3],
  });
  expect(windowsToEvaluate(['2024-01-01'], dataset, incremental)).toEqual({ learned: [[0]], evaluateWindows: [1, 3] });
});

test('trained otherwise: every later window with sessions', () => {
  expect(windowsToEvaluate(['2024-01-02'], dataset, none)).toEqual({ learned: [[1]], evaluateWindows: [3] });
  const newer = windowsToEvaluate(['2023-12-30', '2023-12-31'], dataset, none);
  expect(newer).toMatchObject({ learned: [], evaluateWindows: [0, 1, 3] });
  expect(newer.note).toContain('2 of the 2 windows that the model learned from are not in this log');
});

test('nothing later, or ids that do not tell: refused', () => {
  const message = /the model has learned up to .*, and no window of the log is later: 2024-01-01 … 2024-01-04/;
  expect(() => windowsToEvaluate(['2024-01-04'], dataset, none)).toThrow(message);
  expect(() => windowsToEvaluate(['2024-W02'], dataset, none)).toThrow(message);
  expect(() => windowsToEvaluate(['history'], dataset, none)).toThrow(message);
});
