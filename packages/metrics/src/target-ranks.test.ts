import fc from 'fast-check';
import {
  averagePrecisionOfTargetsAtK,
  mrrOfTargetsAtK,
  type ndcgAtK,
  ndcgOfTargetsAtK,
  precisionOfTargetsAtK,
  recallOfTargetsAtK,
} from './index.ts';
import * as metrics from './metrics.ts';

const ofTargets = {
  map: averagePrecisionOfTargetsAtK,
  mrr: mrrOfTargetsAtK,
  ndcg: ndcgOfTargetsAtK,
  precision: precisionOfTargetsAtK,
  recall: recallOfTargetsAtK,
};

test('two of three targets within four places, by hand', () => {
  const ranks = [[2, 4, 9]];
  const log2 = Math.log2;
  expect(recallOfTargetsAtK(ranks, 4)[0]).toBeCloseTo(2 / 3, 12);
  expect(precisionOfTargetsAtK(ranks, 4)[0]).toBeCloseTo(2 / 4, 12);
  expect(mrrOfTargetsAtK(ranks, 4)[0]).toBeCloseTo(1 / 2, 12);
  expect(averagePrecisionOfTargetsAtK(ranks, 4)[0]).toBeCloseTo((1 / 2 + 2 / 4) / 3, 12);
  const best = 1 + 1 / log2(3) + 1 / log2(4);
  expect(ndcgOfTargetsAtK(ranks, 4)[0]).toBeCloseTo((1 / log2(3) + 1 / log2(5)) / best, 12);
});

describe.each(Object.entries(ofTargets))('%s', (name, metric) => {
  const single = metrics[name as keyof typeof metrics] as typeof ndcgAtK;

  test('with one target it is the metric of single targets', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 30 })), fc.integer({ min: 1, max: 30 }), (ranks, k) => {
        const values = metric(
          ranks.map((rank) => [rank]),
          k,
        );
        expect([...values]).toEqual([...single(ranks, k)]);
      }),
    );
  });

  test('lies in [0, 1], is 1 for a perfect list, and the order of the targets says nothing', () => {
    const lists = fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(lists, fc.integer({ min: 1, max: 30 }), (ranks, k) => {
        const [value, reversed] = metric([ranks, [...ranks].reverse()], k);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1 + 1e-12);
        expect(reversed).toBeCloseTo(value, 12);
        const perfect = metric([ranks.map((_, i) => i + 1)], k)[0];
        if (name === 'precision') expect(perfect).toBeCloseTo(Math.min(ranks.length, k) / k, 12);
        else if (name === 'recall') expect(perfect).toBeCloseTo(Math.min(1, k / ranks.length), 12);
        else expect(perfect).toBeCloseTo(1, 12);
      }),
    );
  });

  test('refuses a list without targets, two targets at one place and broken ranks', () => {
    expect(() => metric([[1], []], 3)).toThrow('list 1 has no target');
    expect(() => metric([[2, 2]], 3)).toThrow('list 0 has two targets at one place');
    expect(() => metric([[0]], 3)).toThrow('list 0: ranks[0] is 0');
    expect(() => metric([[1]], 0)).toThrow('k must be a whole number');
  });

  test('targets beyond the list may share the rank that stands for "not found"', () => {
    expect(metric([[1, 99, 99]], 3)[0]).toBeGreaterThan(0);
  });
});
