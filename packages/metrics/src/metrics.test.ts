import fc from 'fast-check';
import { parseMetricAtK, summarize } from './index.ts';
import * as metrics from './metrics.ts';

const log2 = Math.log2;

/** By hand: rank → value at k = 3. */
const HAND: Record<string, number[]> = {
  //         rank 1, 2, 3, 4, 2147483647 (unranked)
  hr: [1, 1, 1, 0, 0],
  recall: [1, 1, 1, 0, 0],
  precision: [1 / 3, 1 / 3, 1 / 3, 0, 0],
  map: [1, 1 / 2, 1 / 3, 0, 0],
  rbp: [0.2, 0.2 * 0.8, 0.2 * 0.64, 0, 0],
  ndcg: [1, 1 / log2(3), 0.5, 0, 0],
  mrr: [1, 1 / 2, 1 / 3, 0, 0],
};

test('every metric has a hand table', () => {
  expect(Object.keys(HAND).sort()).toEqual(Object.keys(metrics).sort());
});

describe.each(Object.entries(metrics))('%s', (name, metric) => {
  test('hand table', () => {
    const values = metric([1, 2, 3, 4, 0x7fffffff], 3);
    values.forEach((value, i) => {
      expect(value).toBeCloseTo(HAND[name][i], 12);
    });
  });

  test('lies in [0, 1], falls with the rank, and does not depend on which other k are asked', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 100 }), (rank, k) => {
        const [here, next] = metric([rank, rank + 1], k);
        expect(here).toBeGreaterThanOrEqual(next);
        expect(here).toBeLessThanOrEqual(1);
        expect(next).toBeGreaterThanOrEqual(0);
        // Precision alone is measured in lists of k places.
        const scale = name === 'precision' ? (k + 7) / k : 1;
        if (rank <= k) expect(here).toBeCloseTo(metric([rank], k + 7)[0] * scale, 12);
      }),
    );
  });

  test('one value per position, none for none', () => {
    expect(metric([], 5)).toHaveLength(0);
    expect(metric(Int32Array.of(9, 9), 5)).toHaveLength(2);
  });

  test.each([[[0]], [[1.5]], [[Number.NaN]], [[-1]]])('refuses ranks %p', (ranks) => {
    expect(() => metric(ranks, 3)).toThrow('ranks[0]');
  });

  test.each([0, 2.5, Number.NaN])('refuses k = %p', (k) => {
    expect(() => metric([1], k)).toThrow('k must be a whole number');
  });
});

test('parseMetricAtK reads name and k', () => {
  const metric = parseMetricAtK('ndcg@2');
  if (metric.of !== 'ranks') throw new Error('ndcg is a metric of ranks');
  expect(metric.k).toBe(2);
  expect([...metric.compute([1, 3])]).toEqual([1, 0]);
  expect(parseMetricAtK('coverage@7')).toMatchObject({ of: 'lists', label: 'coverage@7', k: 7 });
});

test.each(['ndgc@20', 'ndcg', 'ndcg@0', 'ndcg@2.5', '@3', 'coverage@0', 'toString@3'])(
  'parseMetricAtK refuses %s',
  (label) => {
    expect(() => parseMetricAtK(label)).toThrow(
      'expected <name>@<k> such as ndcg@20, with name one of coverage, diversity, entropy, gini, hr, map, mrr, ndcg',
    );
  },
);

test('summarize: mean and standard error by hand', () => {
  // 2, 4, 9: mean 5, squares 9 + 1 + 16 = 26, variance 13, standard error √(13 / 3)
  const { mean, standardError, count } = summarize([2, 4, 9]);
  expect(mean).toBe(5);
  expect(standardError).toBeCloseTo(Math.sqrt(13 / 3), 12);
  expect(count).toBe(3);
  expect(summarize([7]).standardError).toBeNaN();
});

test('summarize makes no mean up', () => {
  expect(() => summarize([])).toThrow('no values');
  expect(() => summarize([1, Number.NaN])).toThrow('values[1] is NaN');
});
