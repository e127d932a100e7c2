import fc from 'fast-check';
import { comparePaired } from './index.ts';
import { criticalT, twoSidedP } from './student-t.ts';

// scipy 1.17: 2 * scipy.stats.t.sf(t, df)
test.each([
  [2, 3, 0.13932596855884305],
  [0.5, 1, 0.7048327646991335],
  [4.2, 10, 0.0018286964802676],
  [12, 47, 6.487598164658606e-16],
  [1.96, 1000, 0.050273184955748736],
  [0.001, 5, 0.9992407867721976],
  [40, 4, 2.3340163226e-6],
])('two-sided p of t = %p with %p degrees of freedom', (t, degreesOfFreedom, p) => {
  expect(Math.abs(twoSidedP(t, degreesOfFreedom) / p - 1)).toBeLessThan(1e-9);
  expect(twoSidedP(-t, degreesOfFreedom)).toBe(twoSidedP(t, degreesOfFreedom));
});

// scipy 1.17: scipy.stats.t.isf(p / 2, df)
test.each([
  [0.05, 3, 3.1824463052837086],
  [0.05, 1000, 1.9623390808264085],
  [0.001, 25000, 3.290915962534662],
  [0.9, 1, 0.15838444032453633],
])('t that chance exceeds with p = %p, %p degrees of freedom', (p, degreesOfFreedom, t) => {
  expect(Math.abs(criticalT(p, degreesOfFreedom) / t - 1)).toBeLessThan(1e-9);
});

// scipy.stats.ttest_rel of these two
const a = [0.31, 0.42, 0.28, 0.39, 0.41, 0.35, 0.3, 0.44];
const b = [0.29, 0.4, 0.29, 0.35, 0.36, 0.35, 0.27, 0.41];

test('the paired t test is the one of scipy', () => {
  const { difference, p, correctedP, count } = comparePaired(a, b);
  expect(difference).toBeCloseTo(0.0225, 12);
  expect(p).toBeCloseTo(0.014842060499958369, 12);
  expect(correctedP).toBe(p);
  expect(count).toBe(8);
});

test('with more comparisons the same difference is no longer enough', () => {
  expect(comparePaired(a, b).better).toBe('a');
  expect(comparePaired(b, a).better).toBe('b');
  const corrected = comparePaired(a, b, { numComparisons: 10 });
  expect(corrected.correctedP).toBeCloseTo(0.1484206049995837, 12);
  expect(corrected.better).toBe('undecided');
});

test('two equal models are not told apart', () => {
  expect(comparePaired(a, a)).toMatchObject({ difference: 0, p: 1, low: 0, high: 0, better: 'undecided' });
});

test('a model is called better without reason in at most about 5 % of the cases', () => {
  // 400 comparisons of two models that differ by chance alone: the count is binomial, 20 ± 4.4 expected for the t test.
  const random = lcg(3);
  let numCalls = 0;
  for (let trial = 0; trial < 400; trial++) {
    const x = Array.from({ length: 30 }, () => random() + random() + random());
    const y = Array.from({ length: 30 }, () => random() + random() + random());
    if (comparePaired(x, y, { numSamples: 400, seed: trial }).better !== 'undecided') numCalls++;
  }
  expect(numCalls).toBeGreaterThan(4);
  expect(numCalls).toBeLessThan(35);
});

test('the bootstrap interval holds the mean difference and is the same for the same seed', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 2, maxLength: 40 }), (values) => {
      const zeros = values.map(() => 0);
      const { difference, low, high } = comparePaired(values, zeros, { numSamples: 200 });
      expect(low).toBeLessThanOrEqual(high);
      expect(difference).toBeGreaterThanOrEqual(Math.min(...values) - 1e-12);
      expect(comparePaired(values, zeros, { numSamples: 200 })).toMatchObject({ low, high });
    }),
    { numRuns: 30 },
  );
});

test('refuses what cannot be paired', () => {
  expect(() => comparePaired([1, 2], [1])).toThrow('2 values cannot be paired with 1');
  expect(() => comparePaired([1], [2])).toThrow('1 pairs are too few');
  expect(() => comparePaired([1, Number.NaN], [2, 3])).toThrow('pair 1 is NaN and 3');
});

function lcg(seed: number): () => number {
  let state = BigInt(seed);
  return () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    return Number(state >> 40n) / 2 ** 24;
  };
}

test('above 5,000 pairs the interval is that of the t test, which the bootstrap agrees with', () => {
  const random = lcg(5);
  // Ranks of a popular metric: mostly 0 or 1, slightly better for one.
  const draw = (count: number) => Array.from({ length: count }, () => (random() < 0.1 ? 1 : random() < 0.08 ? -1 : 0));
  const all = draw(5001);
  const byT = comparePaired(all, new Float64Array(all.length));
  const byBootstrap = comparePaired(all.slice(0, 5000), new Float64Array(5000));
  const width = byT.high - byT.low;
  expect((byT.low + byT.high) / 2).toBeCloseTo(byT.difference, 12);
  expect(Math.abs(byBootstrap.high - byBootstrap.low - width)).toBeLessThan(0.08 * width);
  expect(byT.better).toBe(byBootstrap.better);
});
