import { readFileSync } from 'node:fs';
import { packSessions } from '@nimue/batch';
import { assertClose } from '@nimue/testing';
import * as models from '../models.ts';
import type { StatisticalModel } from '../next-item-model.ts';

interface Fixture {
  readonly sessions: { items: number[]; timestampsMs: number[] }[];
  readonly queries: { items: number[]; timestampMs: number }[];
  readonly cases: { model: keyof typeof models; config: Record<string, unknown>; scores: number[][] }[];
}

const fixture = JSON.parse(
  readFileSync(new URL('../../fixtures/neighbor-scores.json', import.meta.url), 'utf8'),
) as Fixture;
const NUM_ITEMS = 12;

/** The original divides by its largest score in some models, so the proportions are compared. */
function proportions(scores: ArrayLike<number>): number[] {
  const largest = Math.max(...Array.from(scores));
  return Array.from(scores, (score) => (largest > 0 ? score / largest : 0));
}

test.each(fixture.cases.map((row) => [`${row.model} ${JSON.stringify(row.config)}`, row] as const))(
  'scores as the original does: %s',
  (_label, { model: name, config, scores: expected }) => {
    const spec = models[name];
    const model = spec.create(spec.configSchema.parse(config) as never, { numRows: 15, seed: 1 }) as StatisticalModel;
    // In two windows: counting on gives the same as counting once.
    for (const sessions of [fixture.sessions.slice(0, 23), fixture.sessions.slice(23)]) {
      const { itemIds, offsets } = packSessions(sessions.map(({ items }) => items));
      model.fitWindow({ itemIds, offsets, timestampsMs: Float64Array.from(sessions.flatMap((s) => s.timestampsMs)) });
    }
    fixture.queries.forEach(({ items, timestampMs }, q) => {
      const batch = {
        ...packSessions([items], { positions: Int32Array.of(items.length - 1), itemIds: Int32Array.of(3) }),
        timestampsMs: new Float64Array(items.length).fill(timestampMs),
      };
      const top = model.recommend(batch, NUM_ITEMS);
      const scores = new Float64Array(NUM_ITEMS);
      top.itemIds.forEach((id, place) => {
        scores[id - 3] = top.scores[place];
      });
      assertClose(`query ${q}`, proportions(scores), proportions(expected[q]), 1e-5);
    });
    model.dispose();
  },
);

test('every neighborhood and rule model is compared with an original', () => {
  expect([...new Set(fixture.cases.map(({ model }) => model))].sort()).toEqual(
    ['associationRules', 'itemKnn', 'markov', 'sequentialRules', 'sknn', 'stan', 'vsknn', 'vstan'].sort(),
  );
});

test('sknn with the cosine, by hand', () => {
  const spec = models.sknn;
  const model = spec.create(spec.configSchema.parse({}), { numRows: 8, seed: 1 }) as StatisticalModel;
  const { itemIds, offsets } = packSessions([
    [3, 4],
    [4, 5, 6, 4],
    [7, 6],
  ]);
  model.fitWindow({ itemIds, offsets });
  const batch = packSessions([[4, 6]], { positions: Int32Array.of(1), itemIds: Int32Array.of(5) });
  // {4, 6} and {3, 4}: 1/√4 · {4, 5, 6}: 2/√6 · {7, 6}: 1/√4
  const [a, b] = [1 / 2, 2 / Math.sqrt(6)];
  const top = model.recommend(batch, 5);
  expect([...top.itemIds]).toEqual([4, 6, 5, 3, 7]);
  assertClose('scores', top.scores, [a + b, a + b, b, a, a], 1e-6);
  // 4 and 6 are equal and better than 5
  expect([...model.rankTargets(batch)]).toEqual([3]);
});

test('the sample is the most recent sessions that share an item', () => {
  const spec = models.vsknn;
  const model = spec.create(spec.configSchema.parse({ sampleSize: 2 }), { numRows: 9, seed: 1 }) as StatisticalModel;
  const { itemIds, offsets } = packSessions([
    [3, 4],
    [3, 5],
    [6, 7],
    [8, 3],
    [6, 8],
  ]);
  model.fitWindow({ itemIds, offsets });
  const batch = packSessions([[3]], { positions: Int32Array.of(0), itemIds: Int32Array.of(4) });
  const top = model.recommend(batch, 6);
  const scored = [...top.itemIds].filter((_, place) => top.scores[place] > 0);
  expect(scored.sort()).toEqual([3, 5, 8]);
});

test.each(['sknn', 'vsknn'] as const)(
  '%s: recencyWeight tells items with the same votes apart, the newer first',
  (name) => {
    const spec = models[name];
    const tops = [0, 0.001].map((recencyWeight) => {
      const config = spec.configSchema.parse({ recencyWeight, k: 3 });
      const model = spec.create(config as never, { numRows: 8, seed: 1 }) as StatisticalModel;
      const { itemIds, offsets } = packSessions([
        [3, 4],
        [3, 5],
        [3, 6],
      ]);
      model.fitWindow({ itemIds, offsets });
      const batch = packSessions([[3]], { positions: Int32Array.of(0), itemIds: Int32Array.of(5) });
      return { top: model.recommend(batch, 4), rank: model.rankTargets(batch) };
    });
    const [tied, told] = tops;
    // Three neighbors that are alike: 3 has three votes, 4, 5 and 6 one each; a tie counts against the target, 5.
    expect([...tied.top.itemIds]).toEqual([3, 4, 5, 6]);
    expect([...tied.rank]).toEqual([4]);
    const vote = tied.top.scores[1];
    expect([...told.top.itemIds]).toEqual([3, 6, 5, 4]);
    // The oldest counts 1, the one between 1.0005, the newest 1.001.
    assertClose('scores', told.top.scores, [3.0015 * vote, 1.001 * vote, 1.0005 * vote, vote], 1e-6);
    expect([...told.rank]).toEqual([3]);
  },
);

test.each(['stan', 'vstan'] as const)('%s: afterWeight tells the items beside the shared one apart', (name) => {
  const spec = models[name];
  const tops = [0, 0.001].map((afterWeight) => {
    const config = spec.configSchema.parse({ afterWeight, recencyDecayDays: null, remind: false });
    const model = spec.create(config as never, { numRows: 8, seed: 1 }) as StatisticalModel;
    const { itemIds, offsets } = packSessions([[6, 4, 3, 5, 7]]);
    model.fitWindow({ itemIds, offsets });
    const batch = packSessions([[3]], { positions: Int32Array.of(0), itemIds: Int32Array.of(5) });
    return { top: model.recommend(batch, 4), rank: model.rankTargets(batch) };
  });
  const [tied, told] = tops;
  // 4 and 5 lie one click from 3, 6 and 7 two; a tie counts against the target, 5.
  expect([...tied.top.itemIds]).toEqual([4, 5, 6, 7]);
  expect(tied.top.scores[0]).toBe(tied.top.scores[1]);
  expect([...tied.rank]).toEqual([2]);
  const [near, , far] = tied.top.scores;
  expect([...told.top.itemIds]).toEqual([5, 4, 7, 6]);
  assertClose('scores', told.top.scores, [1.001 * near, near, 1.001 * far, far], 1e-6);
  expect([...told.rank]).toEqual([1]);
});

test('a decay over time without times is an error that says what to do', () => {
  const spec = models.stan;
  const model = spec.create(spec.configSchema.parse({}), { numRows: 5, seed: 1 }) as StatisticalModel;
  const { itemIds, offsets } = packSessions([[3, 4]]);
  expect(() => model.fitWindow({ itemIds, offsets })).toThrow(/stan: .*timestampsMs.*recencyDecayDays: null/);
});
