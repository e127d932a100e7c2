import { betterThan, compareModels } from './compare-models.ts';
import type { WindowResult } from './trainer-events.ts';

const result = (model: string, window: number, ndcg: number, targetValues?: number[], seed = 1): WindowResult => ({
  model,
  seed,
  windowIndex: window,
  numWindows: 12,
  trainWindows: [],
  evaluateWindow: `w${window}`,
  metrics: { 'ndcg@5': ndcg },
  numTargets: 1,
  numUnknownTargets: 0,
  numExcludedTargets: 0,
  ...(targetValues && { targetValues: { 'ndcg@5': Float64Array.from(targetValues) } }),
  numItems: 1,
  numTrainEvents: 1,
  trainSeconds: 0,
  evaluateSeconds: 0,
});

const WINDOWS = Array.from({ length: 12 }, (_, w) => w);
const wobble = (w: number) => 0.01 * Math.sin(5 * w);

test('many windows: window by window, seeds averaged; a clear gap is better, noise is not', () => {
  const results = WINDOWS.flatMap((w) => [
    result('good', w, 0.5 + wobble(w) - 0.1, undefined, 1),
    result('good', w, 0.5 + wobble(w) + 0.1, undefined, 2),
    result('same', w, 0.5 + wobble(w + 40)),
    result('bad', w, 0.3 + wobble(w + 80)),
  ]);
  const comparisons = compareModels(results, 'ndcg@5');
  expect(comparisons.map(({ a, b, better, count, unit }) => [a, b, better, count, unit])).toEqual([
    ['good', 'same', 'undecided', 12, 'window'],
    ['good', 'bad', 'a', 12, 'window'],
    ['same', 'bad', 'a', 12, 'window'],
  ]);
  expect(comparisons[1].correctedP).toBeCloseTo(3 * comparisons[1].p, 12);
  expect(betterThan(comparisons, 'good')).toEqual(['bad']);
  expect(betterThan(comparisons, 'bad')).toEqual([]);
});

test('few windows: target by target, where the values were kept', () => {
  const values = (base: number) => Array.from({ length: 40 }, (_, n) => base + 0.1 * Math.sin(3 * n + 7 * base));
  const results = [result('a', 0, 0.2, values(0.2)), result('b', 0, 0.6, values(0.6))];
  const [comparison] = compareModels(results, 'ndcg@5');
  expect(comparison).toMatchObject({ a: 'a', b: 'b', unit: 'target', count: 40, better: 'b' });
  expect(comparison.difference).toBeCloseTo(
    values(0.2).reduce((sum, value, n) => sum + value - values(0.6)[n], 0) / 40,
    12,
  );
  expect(compareModels([result('a', 0, 0.2), result('b', 0, 0.6)], 'ndcg@5')).toEqual([]);
});

test('models on other windows or targets cannot be compared', () => {
  expect(() => compareModels([result('a', 0, 1, [1, 1]), result('b', 0, 1, [1, 1, 1])], 'ndcg@5')).toThrow(
    'a has 2 targets and b has 3',
  );
  expect(() => compareModels([result('a', 0, 1, [1, 1]), result('b', 1, 1, [1, 1])], 'ndcg@5')).toThrow(
    'a model has no result for window w1; the run is incomplete',
  );
});
