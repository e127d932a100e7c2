import { packSessions } from '@nimue/batch';
import { assertClose, createRandom } from '@nimue/testing';
import * as models from '../models.ts';
import type { StatisticalModel } from '../next-item-model.ts';
import { DistinctItems } from './distinct-items.ts';
import { FillBehind } from './fill-behind.ts';
import { SessionIndex } from './session-index.ts';

const NAMES = ['sknn', 'vsknn', 'stan', 'vstan'] as const;
const noTimes = { stan: { recencyDecayDays: null }, vstan: { recencyDecayDays: null, idfWeight: null } };

function create(name: (typeof NAMES)[number], config: Record<string, unknown>, numRows = 9): StatisticalModel {
  const spec = models[name];
  const options = { ...(name in noTimes && noTimes[name as keyof typeof noTimes]), ...config };
  return spec.create(spec.configSchema.parse(options) as never, { numRows, seed: 1 }) as StatisticalModel;
}

/** After the session [3], with target 6. */
const query = packSessions([[3]], { positions: Int32Array.of(0), itemIds: Int32Array.of(6) });

test('a vote that is negative or no number stays what it is', () => {
  const index = new SessionIndex();
  index.add(packSessions([[3, 4, 5, 6]]));
  const scores = Float64Array.of(0, 0, 0, Number.NaN, -1, 0, 2);
  const voted = new DistinctItems();
  voted.clear();
  new FillBehind(index, 1).fill(scores, voted);
  expect([...scores.subarray(3)]).toEqual([Number.NaN, -1, 1e-36, 2]);
  expect([...voted.view]).toEqual([5]);
});

describe.each(NAMES)('%s: fillSessions', (name) => {
  const sessions = [
    [3, 4],
    [5, 8, 5],
    [7, 6],
    [5, 6],
  ];

  test('items that no neighbor voted for stand by their clicks in the most recent sessions, by hand', () => {
    const model = create(name, { fillSessions: 3, remind: false });
    model.fitWindow(packSessions(sessions));
    const top = model.recommend(query, 6);
    // Only the first session shares 3. Of the other three, weighing 1/3, 2/3 and 1: item 5 has 2/3 + 1, 6 has 2/3 + 1 too, 7 has 2/3, 8 1/3.
    expect([...top.itemIds]).toEqual([4, 5, 6, 7, 8, 3]);
    expect(top.scores[0]).toBeGreaterThan(1e-3);
    assertClose(
      'filled in',
      Array.from(top.scores.subarray(1), (score) => score * 1e36),
      [5 / 3, 5 / 3, 2 / 3, 1 / 3, 0],
      1e-6,
    );
    // 4 and, a tie against it, 5.
    expect([...model.rankTargets(query)]).toEqual([3]);
  });

  test('without it they tie: all count against the target', () => {
    const model = create(name, { remind: false });
    model.fitWindow(packSessions(sessions));
    expect([...model.rankTargets(query)]).toEqual([6]);
  });

  test('moves on with the windows, as if all had come at once', () => {
    const at = create(name, { fillSessions: 2 });
    const once = create(name, { fillSessions: 2 });
    for (const part of [sessions.slice(0, 2), sessions.slice(2), [[8, 7]]]) {
      at.fitWindow(packSessions(part));
      at.recommend(query, 6);
    }
    once.fitWindow(packSessions([...sessions, [8, 7]]));
    expect(at.recommend(query, 6)).toEqual(once.recommend(query, 6));
    // [5, 6] counts 1/2, [8, 7] 1: equal ones by their ids.
    expect([...once.recommend(query, 6).itemIds].slice(-4)).toEqual([7, 8, 5, 6]);
  });

  test('never comes before a vote, and the rank is the place in the list', () => {
    const random = createRandom(7);
    const numItems = 30;
    const draw = (n: number) => Array.from({ length: n }, () => 3 + Math.floor(random() * random() * numItems));
    const past = packSessions(Array.from({ length: 40 }, () => draw(1 + Math.floor(random() * 4))));
    const [bare, filled] = [0, 25].map((fillSessions) => create(name, { fillSessions }, numItems + 3));
    bare.fitWindow(past);
    filled.fitWindow(past);
    for (let round = 0; round < 50; round++) {
      const items = draw(1 + Math.floor(random() * 3));
      const batch = packSessions([items], {
        positions: Int32Array.of(items.length - 1),
        itemIds: Int32Array.of(3 + Math.floor(random() * numItems)),
      });
      const [without, within] = [bare, filled].map((model) => model.recommend(batch, numItems));
      const votes = without.scores.findIndex((score) => score === 0);
      const numVoted = votes < 0 ? numItems : votes;
      expect(within.itemIds.subarray(0, numVoted)).toEqual(without.itemIds.subarray(0, numVoted));
      expect(within.scores.subarray(0, numVoted)).toEqual(without.scores.subarray(0, numVoted));
      const target = batch.targets.itemIds[0];
      const place = within.itemIds.indexOf(target);
      const tied = within.scores.filter((score) => score === within.scores[place]).length;
      const first = within.scores.indexOf(within.scores[place]);
      expect([...filled.rankTargets(batch)]).toEqual([first + tied]);
    }
  });
});
