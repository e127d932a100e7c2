import { assertNoLeak, planRollingEvaluation, selectWindow } from './rolling-evaluation.ts';

const windowsOf = (...sizes: number[]) =>
  sizes.map((numSessions, i) => ({ id: `day ${i}`, startMs: i * 10, endMs: i * 10 + 10, numSessions }));
const plan = (sizes: number[], options: Parameters<typeof planRollingEvaluation>[1]) =>
  planRollingEvaluation(windowsOf(...sizes), options).steps.map((s) => [
    s.trainWindows,
    s.evaluateWindow,
    s.carryWeights,
  ]);

test('incremental: train on the window before, weights carried over', () => {
  expect(plan([5, 5, 5], { policy: 'incremental' })).toEqual([
    [[0], 1, false],
    [[1], 2, true],
  ]);
});

test('sliding: the last n, from scratch', () => {
  expect(plan([5, 5, 5, 5], { policy: 'sliding', size: 2 })).toEqual([
    [[0, 1], 2, false],
    [[1, 2], 3, false],
  ]);
});

test('expanding: all so far, from scratch', () => {
  expect(plan([5, 5, 5], { policy: 'expanding' })).toEqual([
    [[0], 1, false],
    [[0, 1], 2, false],
  ]);
});

test('frozen: trained once', () => {
  expect(plan([5, 5, 5, 5], { policy: 'frozen', size: 2 })).toEqual([
    [[0, 1], 2, false],
    [[], 3, true],
  ]);
});

test('empty windows are left out and reported, or refused', () => {
  const { steps, skipped } = planRollingEvaluation(windowsOf(5, 0, 5, 5), { policy: 'incremental' });
  expect(steps.map((s) => [s.trainWindows, s.evaluateWindow])).toEqual([
    [[0], 2],
    [[2], 3],
  ]);
  expect(skipped).toEqual([{ window: 1, id: 'day 1', reason: 'no session starts in it' }]);
  expect(() => plan([5, 0, 5], { policy: 'incremental', emptyWindows: 'error' })).toThrow(
    'window day 1 has no sessions',
  );
});

test.each<[string, () => unknown]>([
  [
    'incremental needs 2 windows with sessions (1 to train, 1 to evaluate), got 1 of 2',
    () => plan([5, 0], { policy: 'incremental' }),
  ],
  ['sliding needs 4 windows', () => plan([5, 5, 5], { policy: 'sliding', size: 3 })],
  ['size must be a whole number ≥ 1, got 0', () => plan([5, 5], { policy: 'sliding', size: 0 })],
])('refuses: %s', (message, act) => {
  expect(act).toThrow(message);
});

test('a plan that leaks is refused', () => {
  const windows = windowsOf(1, 1, 1);
  const step = (trainWindows: number[], evaluateWindow: number, carryWeights = false) => ({
    trainWindows,
    evaluateWindow,
    carryWeights,
  });
  expect(() => assertNoLeak(windows, [step([1], 1)])).toThrow('step 0 trains on window day 1 and evaluates on day 1');
  expect(() => assertNoLeak(windows, [step([2], 1)])).toThrow('trains on window day 2');
  expect(() => assertNoLeak(windows, [step([1], 2), step([], 1, true)])).toThrow(
    'step 1 evaluates day 1 with weights carried over',
  );
  expect(() => assertNoLeak(windows, [step([7], 1)])).toThrow('trains on window 7, which does not exist');
  expect(() => assertNoLeak(windows, [step([0], 7)])).toThrow('evaluates window 7, which does not exist');
});

test('selectWindow finds a window by id', () => {
  expect(selectWindow(windowsOf(1, 1), 'day 1')).toBe(1);
  expect(() => selectWindow(windowsOf(1, 1), 'day 9')).toThrow("no window 'day 9'; windows run from day 0 to day 1");
});
