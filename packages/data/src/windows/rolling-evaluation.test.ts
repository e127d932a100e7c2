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

test('minSessions: a window with fewer sessions is an empty one, for training and evaluation', () => {
  const sizes = [9, 2, 5, 0, 4, 7];
  expect(plan(sizes, { policy: 'incremental', minSessions: 5 })).toEqual([
    [[0], 2, false],
    [[2], 5, true],
  ]);
  expect(plan(sizes, { policy: 'expanding', minSessions: 5 })).toEqual([
    [[0], 2, false],
    [[0, 2], 5, false],
  ]);
  expect(plan(sizes, { policy: 'sliding', size: 2, minSessions: 4, emptyWindows: 'count' })).toEqual([
    [[0], 2, false],
    [[2], 4, false],
    [[4], 5, false],
  ]);
  const { skipped } = planRollingEvaluation(windowsOf(...sizes, 1), { policy: 'incremental', minSessions: 5 });
  expect(skipped.map(({ id, reason }) => `${id}: ${reason}`)).toEqual([
    'day 1: it has 2 sessions, minSessions is 5',
    'day 3: no session starts in it',
    'day 4: it has 4 sessions, minSessions is 5',
    'day 6: it has 1 session, minSessions is 5',
  ]);
  expect(() => plan(sizes, { policy: 'incremental', minSessions: 5, emptyWindows: 'error' })).toThrow(
    'window day 1 has 2 sessions, minSessions is 5 (3 such windows)',
  );
  expect(() => plan(sizes, { policy: 'incremental', minSessions: 10 })).toThrow('needs 2 windows with 10 sessions');
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

test('a base period first, then day by day', () => {
  expect(plan([5, 5, 5, 5], { policy: 'incremental', baseSize: 2 })).toEqual([
    [[0, 1], 2, false],
    [[2], 3, true],
  ]);
  expect(plan([5, 5, 5, 5], { policy: 'expanding', baseSize: 2 })).toEqual([
    [[0, 1], 2, false],
    [[0, 1, 2], 3, false],
  ]);
});

test('replay: older windows again, never the evaluated one nor those of the step itself', () => {
  const replayed = (options: { lastWindows?: number }) =>
    planRollingEvaluation(windowsOf(5, 5, 5, 5, 5), { policy: 'replay', share: 0.2, ...options }).steps.map((step) => [
      step.trainWindows,
      step.replay?.windows,
      step.replay?.share,
      step.carryWeights,
    ]);
  expect(replayed({})).toEqual([
    [[0], undefined, undefined, false],
    [[1], [0], 0.2, true],
    [[2], [0, 1], 0.2, true],
    [[3], [0, 1, 2], 0.2, true],
  ]);
  expect(replayed({ lastWindows: 2 })[3]).toEqual([[3], [1, 2], 0.2, true]);
});

test('missing days that count: the last days are those of the calendar', () => {
  const sizes = [5, 5, 0, 5, 0, 0, 5, 5];
  expect(plan(sizes, { policy: 'sliding', size: 2, emptyWindows: 'skip' })).toEqual([
    [[0, 1], 3, false],
    [[1, 3], 6, false],
    [[3, 6], 7, false],
  ]);
  expect(plan(sizes, { policy: 'sliding', size: 2, emptyWindows: 'count' })).toEqual([
    [[1], 3, false],
    [[6], 7, false],
  ]);
  const { skipped } = planRollingEvaluation(windowsOf(...sizes), { policy: 'sliding', size: 2, emptyWindows: 'count' });
  expect(skipped).toContainEqual({
    window: 6,
    id: 'day 6',
    reason: 'no session starts in the windows that would train for it',
  });
  expect(plan(sizes, { policy: 'incremental', emptyWindows: 'count' })).toEqual([
    [[0], 1, false],
    [[1], 3, true],
    [[3], 6, true],
    [[6], 7, true],
  ]);
});

test('missing days that break: the day after one is learned but not evaluated', () => {
  const sizes = [5, 5, 0, 5, 5, 0, 5];
  expect(plan(sizes, { policy: 'incremental', emptyWindows: 'break' })).toEqual([
    [[0], 1, false],
    [[1, 3], 4, true],
  ]);
  expect(plan(sizes, { policy: 'expanding', emptyWindows: 'break' })).toEqual([
    [[0], 1, false],
    [[0, 1, 3], 4, false],
  ]);
  const { skipped } = planRollingEvaluation(windowsOf(...sizes), { policy: 'incremental', emptyWindows: 'break' });
  expect(skipped.map(({ window }) => window)).toEqual([2, 3, 5, 6]);
  expect(skipped[1].reason).toBe('no session starts in the window before it');
  expect(() => plan([5, 0, 5], { policy: 'incremental', emptyWindows: 'break' })).toThrow(
    'incremental needs 2 windows',
  );
});

test.each<[string, () => unknown]>([
  ["replay's share must be above 0 and at most 1, got 0", () => plan([5, 5], { policy: 'replay', share: 0 })],
  ['baseSize must be a whole number ≥ 1, got 0.5', () => plan([5, 5], { policy: 'incremental', baseSize: 0.5 })],
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
  const replayed = { ...step([0], 1), replay: { windows: [2], share: 0.5 } };
  expect(() => assertNoLeak(windows, [replayed])).toThrow('trains on window day 2');
  expect(() => assertNoLeak(windows, [step([7], 1)])).toThrow('trains on window 7, which does not exist');
  expect(() => assertNoLeak(windows, [step([0], 7)])).toThrow('evaluates window 7, which does not exist');
});

test('selectWindow finds a window by id', () => {
  expect(selectWindow(windowsOf(1, 1), 'day 1')).toBe(1);
  expect(() => selectWindow(windowsOf(1, 1), 'day 9')).toThrow("no window 'day 9'; windows run from day 0 to day 1");
});
