import fc from 'fast-check';
import {
  categoryDistance,
  cosineDistance,
  coverageAtK,
  diversityAtK,
  entropyAtK,
  giniAtK,
  intraListDiversityAtK,
  noveltyAtK,
  overlapAtK,
  parseMetricAtK,
  popularityLiftAtK,
} from '../index.ts';
import * as listMetrics from '../list-metrics.ts';
import type { ListContext } from './recommended-lists.ts';

const context: ListContext = {
  numItems: 4,
  clicks: [0, 0, 0, 8, 4, 2, 2],
  targetIds: Int32Array.of(3, 6),
  histories: { itemIds: Int32Array.of(5, 6, 3), offsets: Int32Array.of(0, 2, 3) },
  distance: (a, b) => Math.abs(a - b),
};
// Two people, three places; the second list ends after one item.
const lists = { itemIds: Int32Array.of(3, 4, 5, 3, 0, 0), length: 3 };

test('by hand: two lists over four items, one of them short', () => {
  // Exposures: item 3 twice, 4 and 5 once, 6 never.
  expect(coverageAtK(lists, 3, context)).toBe(3 / 4);
  expect(entropyAtK(lists, 3)).toBeCloseTo(1.5, 12);
  // Sorted 0, 1, 1, 2: (−1 · 1 + 1 · 1 + 3 · 2) / (4 · 4)
  expect(giniAtK(lists, 3, context)).toBeCloseTo(6 / 16, 12);
  // Shares 1/2, 1/4, 1/8, 1/2 → 1, 2, 3, 1 bits
  expect(noveltyAtK(lists, 3, context)).toBeCloseTo(7 / 4, 12);
  // Lists: (8 + 4 + 2) / 3 and 8; histories: (2 + 2) / 2 and 8
  expect(popularityLiftAtK(lists, 3, context)).toBeCloseTo((14 / 3 + 8) / 10 - 1, 12);
});

test('diversity by category and by vectors, by hand', () => {
  expect(intraListDiversityAtK(lists, 3, categoryDistance([0, 0, 0, 1, 1, 2]))).toBeCloseTo(2 / 3, 12);
  // Items 3, 4, 5 at 0°, 90° and 180°: distances 1, 1, 2
  const vectors = [0, 0, 0, 0, 0, 0, 1, 0, 0, 5, -2, 0];
  expect(intraListDiversityAtK(lists, 3, cosineDistance(vectors, 2))).toBeCloseTo(4 / 3, 12);
  expect(() => intraListDiversityAtK(lists, 1, categoryDistance([]))).toThrow('no list has two items');
  const distance = cosineDistance([0, 0, 0, 0, 0, 0, 0, 0, 0, 5, -2, 0], 2);
  expect(() => intraListDiversityAtK(lists, 3, distance)).toThrow('the vector of item 3 is 0 or not finite');
});

test('diversity by the distance of the context, by hand', () => {
  // Items 3, 4, 5 of the first list: 1, 1, 2; the second has one item and takes no part.
  expect(diversityAtK(lists, 3, context)).toBeCloseTo(4 / 3, 12);
  expect(() => diversityAtK(lists, 3, {})).toThrow('say by what items differ');
});

test('overlap of two models: none with a stranger, half with a half', () => {
  expect(overlapAtK(lists, { itemIds: Int32Array.of(9, 9, 9, 8, 0, 0), length: 3 }, 1)).toBe(0);
  // Shared within the first two places: item 3 of the first list, item 3 of the second.
  expect(overlapAtK(lists, { itemIds: Int32Array.of(3, 9, 5, 7, 3, 0), length: 3 }, 2)).toBe(2 / 4);
  expect(() => overlapAtK(lists, { itemIds: Int32Array.of(3), length: 1 }, 1)).toThrow(
    '2 lists cannot be compared with 1',
  );
});

describe.each(Object.entries(listMetrics))('%s', (name, metric) => {
  test('refuses k beyond the lists, no lists, and an item twice in a list', () => {
    expect(() => metric(lists, 4, context)).toThrow('k is 4, but the lists have 3 places');
    expect(() => metric({ itemIds: new Int32Array(), length: 3 }, 2, context)).toThrow('there are no lists');
    expect(() => metric({ itemIds: Int32Array.of(3, 3, 5), length: 3 }, 2, context)).toThrow(
      'list 0 holds item 3 twice',
    );
    expect(() => metric({ itemIds: Int32Array.of(3, 4), length: 3 }, 2, context)).toThrow(
      'not a whole number of lists',
    );
  });

  test('is named in experiment files', () => {
    expect(parseMetricAtK(`${name}@3`)).toMatchObject({ of: 'lists', k: 3 });
  });
});

test('coverage, Gini and entropy agree at the extremes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 40 }), fc.integer({ min: 1, max: 40 }), (numItems, numLists) => {
      const same = { itemIds: new Int32Array(numLists).fill(3), length: 1 };
      expect(entropyAtK(same, 1)).toBeCloseTo(0, 12);
      expect(giniAtK(same, 1, { numItems })).toBeCloseTo((numItems - 1) / numItems, 12);
      const each = { itemIds: Int32Array.from({ length: numItems }, (_, i) => i + 3), length: 1 };
      expect(entropyAtK(each, 1)).toBeCloseTo(Math.log2(numItems), 12);
      expect(giniAtK(each, 1, { numItems })).toBeCloseTo(0, 12);
      expect(coverageAtK(each, 1, { numItems })).toBe(1);
    }),
  );
});
