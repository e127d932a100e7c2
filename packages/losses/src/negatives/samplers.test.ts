import { FIRST_ITEM_ID, packSessions } from '@nimue/batch';
import { createSampler, negativesSchema } from './negatives-schema.ts';

const NUM_ROWS = 403;
/** Counts fall as one over the rank: the tail is most of the items. */
const itemCounts = Int32Array.from({ length: NUM_ROWS }, (_, id) =>
  id < FIRST_ITEM_ID ? 9999 : Math.ceil(2000 / (id - 2)),
);

function draw(config: Record<string, unknown>, seed: number, targetIds: readonly number[], sessions?: number[][]) {
  const sampler = createSampler(negativesSchema.parse(config));
  const batch = sessions && {
    ...packSessions(sessions),
    targets: {
      positions: Int32Array.from(sessions.flatMap((_, s) => [sessions.slice(0, s + 1).flat().length - 1])),
      itemIds: Int32Array.from(targetIds),
    },
  };
  const { negatives } = sampler({
    seed,
    targetIds: Int32Array.from(targetIds),
    numTableRows: NUM_ROWS,
    itemCounts,
    batch,
  });
  return 'shared' in negatives ? negatives.shared : negatives.own;
}

/** Σ (observed − expected)² / expected; its mean is the number of cells less one, its variance twice that. */
function chiSquare(observed: Float64Array, weights: Float64Array): { value: number; numCells: number } {
  const numDraws = observed.reduce((sum, count) => sum + count, 0);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let [value, numCells] = [0, 0];
  observed.forEach((count, id) => {
    const expected = (numDraws * weights[id]) / total;
    if (expected === 0) {
      expect([id, count]).toEqual([id, 0]);
      return;
    }
    value += (count - expected) ** 2 / expected;
    numCells++;
  });
  return { value, numCells };
}

/** Within five standard deviations above what chance alone gives. */
function expectDistribution(observed: Float64Array, weights: Float64Array): void {
  const { value, numCells } = chiSquare(observed, weights);
  expect(value).toBeLessThan(numCells - 1 + 5 * Math.sqrt(2 * (numCells - 1)));
}

const weightsOf = (weight: (id: number) => number) =>
  Float64Array.from({ length: NUM_ROWS }, (_, id) => (id < FIRST_ITEM_ID ? 0 : weight(id)));

describe('items are drawn as often as they should be, the tail too', () => {
  test.each([
    ['uniform', { name: 'uniform' }, () => 1],
    ['popularity', { name: 'popularity', alpha: 1 }, (id: number) => itemCounts[id]],
    ['popularity^.75', { name: 'popularity' }, (id: number) => itemCounts[id] ** 0.75],
    ['popularity^.5', { name: 'popularity', alpha: 0.5 }, (id: number) => itemCounts[id] ** 0.5],
    ['popularity^0', { name: 'popularity', alpha: 0 }, () => 1],
  ])('%s, shared by the batch', (_name, config, weight) => {
    const observed = new Float64Array(NUM_ROWS);
    for (let seed = 0; seed < 50; seed++) {
      for (const id of draw({ ...config, count: 4096 }, seed, [3])) observed[id]++;
    }
    expectDistribution(observed, weightsOf(weight));
    // The tail by itself: the rarer half of the items together.
    const tail = (values: Float64Array) => values.subarray(203).reduce((sum, value) => sum + value, 0);
    const share = tail(weightsOf(weight)) / weightsOf(weight).reduce((sum, value) => sum + value, 0);
    const numDraws = 50 * 4096;
    expect(Math.abs(tail(observed) - share * numDraws)).toBeLessThan(5 * Math.sqrt(numDraws * share * (1 - share)));
  });

  test('per position: never the target, the others as before', () => {
    const observed = new Float64Array(NUM_ROWS);
    const targets = Array.from({ length: 100 }, () => 5);
    for (let seed = 0; seed < 10; seed++) {
      for (const id of draw({ name: 'popularity', per: 'position', count: 200 }, seed, targets)) observed[id]++;
    }
    expectDistribution(
      observed,
      weightsOf((id) => (id === 5 ? 0 : itemCounts[id] ** 0.75)),
    );
  });

  test("excludeSession: none of the session's items, before or after the target", () => {
    const sessions = [
      [3, 4, 5, 6],
      [7, 8],
    ];
    const config = { name: 'uniform', per: 'position', count: 2000, excludeSession: true };
    const [first, second] = [new Float64Array(NUM_ROWS), new Float64Array(NUM_ROWS)];
    for (let seed = 0; seed < 20; seed++) {
      draw(config, seed, [6, 8], sessions).forEach((id, i) => {
        (i < 2000 ? first : second)[id]++;
      });
    }
    expectDistribution(
      first,
      weightsOf((id) => (id >= 3 && id <= 6 ? 0 : 1)),
    );
    expectDistribution(
      second,
      weightsOf((id) => (id === 7 || id === 8 ? 0 : 1)),
    );
  });
});

describe('uniform without repeats', () => {
  test('every set of items is as likely as any other', () => {
    const sampler = createSampler(negativesSchema.parse({ name: 'uniform', count: 2, repeats: false }));
    const sets = new Map<string, number>();
    for (let seed = 0; seed < 5000; seed++) {
      // Five items: ten sets of two.
      const { negatives, numNegatives } = sampler({ seed, targetIds: Int32Array.of(3), numTableRows: 8 });
      const ids = 'shared' in negatives ? [...negatives.shared].sort() : [];
      expect([ids.length, numNegatives]).toEqual([2, 2]);
      sets.set(ids.join(), (sets.get(ids.join()) ?? 0) + 1);
    }
    expect(sets.size).toBe(10);
    expectDistribution(Float64Array.from(sets.values()), new Float64Array(10).fill(1));
  });

  test('all of the catalogue at most, and how often an item is expected', () => {
    for (const [count, expected] of [
      [1, 1],
      [399, 399],
      [400, 400],
      [4096, 400],
    ]) {
      const sampler = createSampler(negativesSchema.parse({ name: 'uniform', count, repeats: false }));
      const drawn = sampler({ seed: 1, targetIds: Int32Array.of(3), numTableRows: NUM_ROWS });
      const ids = 'shared' in drawn.negatives ? drawn.negatives.shared : [];
      expect([ids.length, drawn.numNegatives, new Set(ids).size]).toEqual([expected, expected, expected]);
      expect(Math.min(...ids)).toBeGreaterThanOrEqual(FIRST_ITEM_ID);
      expect(Math.max(...ids)).toBeLessThan(NUM_ROWS);
      expect(drawn.logExpectedCount?.(17)).toBeCloseTo(Math.log(expected / 400), 12);
    }
  });

  test("each row leaves its session's items out, as with repeats", () => {
    const batch = {
      ...packSessions([
        [3, 4],
        [7, 5, 7],
      ]),
      targets: { positions: Int32Array.of(0, 3), itemIds: Int32Array.of(4, 7) },
    };
    const [without, within] = [false, true].map((repeats) => {
      const config = { name: 'uniform', count: 3, repeats, excludeSession: true };
      const request = { seed: 1, targetIds: Int32Array.of(4, 7), numTableRows: 9, batch };
      const { negatives } = createSampler(negativesSchema.parse(config))(request);
      return 'excluded' in negatives ? negatives.excluded : undefined;
    });
    expect(without).toBeDefined();
    expect(without).toEqual(within);
  });

  test('for every position of its own it is refused', () => {
    expect(() => negativesSchema.parse({ name: 'uniform', per: 'position', repeats: false })).toThrow(/per: batch/);
  });
});

test.each([1, 2, 7, 255, 4096])('%p negatives: as many as asked for, the same for the same seed', (count) => {
  for (const per of ['batch', 'position']) {
    const config = { name: 'popularity', count, per };
    const one = draw(config, 3, [3, 9, 402]);
    expect(one).toHaveLength(per === 'batch' ? count : 3 * count);
    expect(draw(config, 3, [3, 9, 402])).toEqual(one);
    expect(draw(config, 4, [3, 9, 402])).not.toEqual(one);
    expect(Math.min(...one)).toBeGreaterThanOrEqual(FIRST_ITEM_ID);
    expect(Math.max(...one)).toBeLessThan(NUM_ROWS);
  }
});
