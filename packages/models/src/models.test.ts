import { FIRST_ITEM_ID, packSessions } from '@nimue/batch';
import { UNRANKED } from '@nimue/ops';
import { causalBatch, useTestBackend } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { attentionOf, inferenceBatch, trainingBatch, withTimes } from '../test/ask.ts';
import { expectSameScores, scoresAfterEveryEvent, scoresOf } from '../test/scores.ts';
import { trainBriefly } from '../test/train-briefly.ts';
import { CASES, create, NUM_ITEMS, NUM_ROWS, SESSIONS, VARIANTS } from '../test/variants.ts';
import { createCountingModel } from './counting-model.ts';
import * as models from './models.ts';
import type { AnyModel, StatisticalModel } from './next-item-model.ts';
import { rankAndRecommend } from './rank-and-recommend.ts';

beforeAll(() => useTestBackend());

test('every model of the list is under test', () => {
  expect(Object.keys(VARIANTS).sort()).toEqual(Object.keys(models).sort());
});

describe.each(CASES)('%s %s', (name, _label, config) => {
  let model: AnyModel;
  beforeEach(() => {
    model = create(name, config);
  });
  afterEach(() => model.dispose());

  const next = (sessions: number[][]) => {
    const visible = sessions.map((session) => session.slice(0, -1));
    return inferenceBatch(
      model,
      visible,
      sessions.map((session) => session[session.length - 1]),
    );
  };

  test('a session scores alike alone, packed with others, and in any order', () => {
    const together = scoresAfterEveryEvent(model, SESSIONS);
    const reversed = scoresAfterEveryEvent(model, [...SESSIONS].reverse());
    const [first, second, third] = SESSIONS.map((session) => scoresAfterEveryEvent(model, [session]));
    expectSameScores(together, [...first, ...second, ...third]);
    expectSameScores(reversed, [...third, ...second, ...first]);
  });

  test('changing only the target changes no score', () => {
    const batch = next(SESSIONS);
    const other = { ...batch, targets: { ...batch.targets, itemIds: batch.targets.itemIds.map((id) => 11 - id) } };
    const [a, b] = [batch, other].map((x) => model.recommend(x, NUM_ITEMS));
    expect([...a.itemIds]).toEqual([...b.itemIds]);
    expect([...a.scores]).toEqual([...b.scores]);
  });

  test('what it sees: causal, never a later click; masked, never its target', () => {
    if (attentionOf(model) === 'causal') {
      const everyPosition = (session: number[]) => ({
        ...withTimes(packSessions([session])),
        targets: { positions: Int32Array.from(session.keys()), itemIds: new Int32Array(session.length).fill(3) },
      });
      const before = scoresOf(model, everyPosition([3, 5, 7, 3, 4]));
      const after = scoresOf(model, everyPosition([3, 5, 7, 8, 6]));
      expectSameScores(after.slice(0, 3), before.slice(0, 3), 0);
      // and the same numbers when what comes later is not there at all
      expectSameScores(scoresAfterEveryEvent(model, [[3, 5, 7]]), before.slice(0, 3));
      return;
    }
    // Place 2 is predicted from the others; in its stead stands another item.
    const [a, b] = [5, 8].map((target) => trainingBatch(model, [[3, target, 7, 4]]));
    const [before, after] = [a, b].map((batch) => scoresOf(model, batch));
    expectSameScores(after, before, 0);
    const [shorter] = scoresOf(model, trainingBatch(model, [[4, 5, 7, 4]]));
    expect([...shorter.values()]).not.toEqual([...before[0].values()]);
  });

  test('evaluate = recommend: the rank is the place in the list; a tie is never better than its place', () => {
    const batch = next(SESSIONS);
    const ranks = model.rankTargets(batch);
    const top = model.recommend(batch, NUM_ITEMS);
    expect(rankAndRecommend(model, batch, NUM_ITEMS)).toEqual({ ranks, ...top });
    ranks.forEach((rank, n) => {
      const list = top.itemIds.subarray(n * NUM_ITEMS, (n + 1) * NUM_ITEMS);
      const scores = top.scores.subarray(n * NUM_ITEMS, (n + 1) * NUM_ITEMS);
      const place = list.indexOf(batch.targets.itemIds[n]);
      expect(rank).toBe(scores.lastIndexOf(scores[place]) + 1);
    });
  });

  test('candidates: the others are neither recommended nor counted; a target outside them is unranked', () => {
    const batch = next(SESSIONS);
    const candidates = Int32Array.of(3, 5, 8);
    const whole = scoresOf(model, batch);
    const top = model.recommend(batch, 3, { candidates });
    const ranks = model.rankTargets(batch, { candidates });
    const both = rankAndRecommend(model, batch, 2, { candidates });
    expect(both.ranks).toEqual(ranks);
    whole.forEach((scores, n) => {
      const list = [...top.itemIds.subarray(3 * n, 3 * n + 3)];
      expect([...list].sort()).toEqual([...candidates]);
      expect([...both.itemIds.subarray(2 * n, 2 * n + 2)]).toEqual(list.slice(0, 2));
      const scoreOf = (id: number) => scores.get(id) ?? Number.NaN;
      list.forEach((id, place) => {
        expect(top.scores[3 * n + place]).toBeCloseTo(scoreOf(id), 6);
      });
      const target = batch.targets.itemIds[n];
      const counted = list.filter(
        (id) => top.scores[3 * n + list.indexOf(id)] >= top.scores[3 * n + list.indexOf(target)],
      );
      expect(ranks[n]).toBe(list.includes(target) ? counted.length : UNRANKED);
    });
    expect(() => model.recommend(batch, 4, { candidates })).toThrow('k is 4, but the catalogue has 3 items');
    for (const wrong of [[3, 3], [5, 3], [2], [NUM_ROWS]]) {
      expect(() => model.rankTargets(batch, { candidates: Int32Array.from(wrong) })).toThrow('each once and rising');
    }
  });

  test('an optimistic rank is the first place of its ties, a rank among a few counts those alone', () => {
    const batch = next(SESSIONS);
    const { itemIds, scores } = model.recommend(batch, NUM_ITEMS);
    const best = model.rankTargets(batch, { ties: 'optimistic' });
    const among = Int32Array.from({ length: 2 * best.length }, (_, i) => 3 + (i % 5));
    const [few, bestOfFew] = (['conservative', 'optimistic'] as const).map((ties) =>
      model.rankTargets(batch, { among, ties }),
    );
    best.forEach((rank, n) => {
      const own = scores.subarray(n * NUM_ITEMS, (n + 1) * NUM_ITEMS);
      const scoreOf = (id: number) => own[itemIds.subarray(n * NUM_ITEMS, (n + 1) * NUM_ITEMS).indexOf(id)];
      const target = batch.targets.itemIds[n];
      expect(rank).toBe(own.indexOf(scoreOf(target)) + 1);
      const others = [among[2 * n], among[2 * n + 1]].filter((id) => id !== target).map(scoreOf);
      // Scores of a list are float32 sums in another order: what is nearly equal may fall on either side.
      if (others.some((score) => score !== scoreOf(target) && Math.abs(score - scoreOf(target)) < 1e-6)) return;
      expect(few[n]).toBe(1 + others.filter((score) => score >= scoreOf(target)).length);
      expect(bestOfFew[n]).toBe(1 + others.filter((score) => score > scoreOf(target)).length);
    });
    expect(() => model.rankTargets(batch, { among: among.subarray(1) })).toThrow('not the same number for each');
  });

  test('reserved ids are never recommended', () => {
    const { itemIds } = model.recommend(next(SESSIONS), NUM_ITEMS);
    expect(Math.min(...itemIds)).toBe(FIRST_ITEM_ID);
  });

  test('resizeItems leaves every other score as it is', () => {
    const before = scoresAfterEveryEvent(model, SESSIONS);
    model.resizeItems(NUM_ROWS + 4);
    expect(model.numRows).toBe(NUM_ROWS + 4);
    const grown = scoresAfterEveryEvent(model, SESSIONS);
    const after = grown.map((scores) => new Map([...scores].filter(([id]) => id < NUM_ROWS)));
    expectSameScores(after, before, 1e-6);
    expect(() => model.resizeItems(NUM_ROWS)).toThrow('shrink');
    expect(() => model.resizeItems(NUM_ROWS + 4.5)).toThrow('numRows must be a whole number, got 13.5');
  });

  test('leaves no tensor behind', () => {
    const before = tf.memory().numTensors;
    model.rankTargets(next(SESSIONS));
    model.recommend(next(SESSIONS), 2);
    const other = create(name, config);
    if (other.kind === 'neural') trainBriefly(other, trainingBatch(other, SESSIONS), 2);
    other.resizeItems(NUM_ROWS + 1);
    other.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('a session without events beside the others changes none of their scores', () => {
    const batch = inferenceBatch(model, SESSIONS);
    const [first, ...rest] = batch.offsets;
    const withEmpty = {
      ...batch,
      offsets: Int32Array.of(first, first, rest[0], rest[0], ...rest.slice(1), rest[rest.length - 1]),
    };
    expectSameScores(scoresOf(model, withEmpty), scoresOf(model, batch));
  });

  test('one event, one item, nothing; as long as it may be, and not longer', () => {
    expect(model.recommend(inferenceBatch(model, [[4]]), 1).itemIds).toHaveLength(1);
    expect(model.recommend(inferenceBatch(model, []), 3).itemIds).toHaveLength(0);
    const single = create(name, config, FIRST_ITEM_ID + 1);
    expect([...single.rankTargets(inferenceBatch(single, [[3, 3]], [3]))]).toEqual([1]);
    single.dispose();
    const { maxLength } = model;
    if (maxLength === undefined) return;
    const numAppended = attentionOf(model) === 'causal' ? 0 : 1;
    const full = new Array(maxLength - numAppended).fill(4);
    expect(model.recommend(inferenceBatch(model, [full]), 1).itemIds).toHaveLength(1);
    expect(() => model.recommend(inferenceBatch(model, [[...full, 4]]), 1)).toThrow(
      `${name}: a session has more than maxLength = ${maxLength} events; truncate`,
    );
  });

  test('refuses an id beyond the table, visible or asked for, and an unknown key', () => {
    expect(() => model.recommend(inferenceBatch(model, [[NUM_ROWS]]), 1)).toThrow(/9, expected 0 … 8/);
    expect(() => model.rankTargets(inferenceBatch(model, [[3]], [NUM_ROWS]))).toThrow(/9, expected 0 … 8/);
    expect(() => models[name].configSchema.parse({ ...config, hidenSize: 3 })).toThrow('hidenSize');
  });
});

describe('models that count', () => {
  const COUNTING = CASES.filter(([name]) => models[name].kind === 'statistical');
  const empty = (name: (typeof CASES)[number][0], config: Record<string, unknown>, numRows: number) =>
    models[name].create(models[name].configSchema.parse(config) as never, { numRows, seed: 1 }) as StatisticalModel;
  const counted = (sessions: readonly (readonly number[])[]) => {
    const { itemIds, offsets, timestampsMs } = withTimes(packSessions(sessions));
    return { itemIds, offsets, timestampsMs };
  };

  test.each(COUNTING.filter(([name, , { over }]) => name !== 'popularity' || over === 'all'))(
    '%s %s: windows taken in one after the other, asked between, are as good as one',
    (name, _label, config) => {
      const more = [
        [9, 3, 5],
        [10, 9, 4, 4],
        [7, 3],
      ];
      const whole = empty(name, config, NUM_ROWS + 2);
      whole.fitWindow(counted([...SESSIONS, ...more]));
      const grown = empty(name, config, NUM_ROWS);
      grown.fitWindow(counted(SESSIONS));
      scoresAfterEveryEvent(grown, SESSIONS);
      grown.resizeItems(NUM_ROWS + 2);
      grown.fitWindow(counted(more));
      const asked = [...SESSIONS, ...more];
      expectSameScores(scoresAfterEveryEvent(grown, asked), scoresAfterEveryEvent(whole, asked), 1e-6);
      for (const model of [whole, grown]) model.dispose();
    },
  );

  // Popularity knows no sessions, and one neighbor may be the session itself.
  test.each(COUNTING.filter(([name, , { k = 100 }]) => !name.toLowerCase().includes('popularity') && Number(k) > 2))(
    '%s %s learns the checkerboard: of what a session has not had, the rest of its colour comes first',
    (name, _label, config) => {
      // Two colours of four items; every session of a colour lacks one of them, in turn.
      const colours = [
        [3, 5, 7, 9],
        [4, 6, 8, 10],
      ];
      const sessions = colours.flatMap((items) =>
        items.map((_, lacking) => [1, 2, 3].map((step) => items[(lacking + step) % 4])),
      );
      const model = empty(name, config, 11);
      model.fitWindow(counted(sessions));
      const targets = colours.flat();
      const excluded = {
        itemIds: Int32Array.from(sessions.flat()),
        offsets: Int32Array.from({ length: sessions.length + 1 }, (_, s) => 3 * s),
      };
      const ranks = model.rankTargets(inferenceBatch(model, sessions, targets), { excluded });
      expect([...ranks]).toEqual(new Array(targets.length).fill(1));
      model.dispose();
    },
  );

  test.each(COUNTING)(
    '%s %s: train sessions that do not go together are refused and nothing is taken in',
    (name, _label, config) => {
      const model = create(name, config) as StatisticalModel;
      const before = scoresAfterEveryEvent(model, SESSIONS);
      const good = counted([
        [3, 4],
        [5, 5],
      ]);
      expect(() => model.fitWindow({ ...good, itemIds: Int32Array.of(3, 4, NUM_ROWS, 5) })).toThrow(
        `${name}: train sessions: SessionBatch: itemIds[2] is 9, expected 0 … 8`,
      );
      expect(() => model.fitWindow({ ...good, offsets: Int32Array.of(0, 2, 3) })).toThrow('offsets end at 3');
      expect(() => model.fitWindow({ ...good, timestampsMs: new Float64Array(1) })).toThrow(
        'timestampsMs has length 1',
      );
      expectSameScores(scoresAfterEveryEvent(model, SESSIONS), before, 0);
      model.dispose();
    },
  );

  test('a score that is not a number is an error, not a rank', () => {
    const model = createCountingModel({
      name: 'broken',
      numRows: 6,
      fitWindow() {},
      score: (_batch, _position, scores) => scores.fill(0).set([Number.NaN], 4),
    });
    const batch = packSessions([[3]], { positions: Int32Array.of(0), itemIds: Int32Array.of(5) });
    expect(() => model.rankTargets(batch)).toThrow('broken: the score of row 0, item id 4 is NaN');
    expect(() => model.recommend(batch, 1)).toThrow('broken: the score of row 0, item id 4 is NaN');
  });
});

test('popularity counts the last window or all of them', () => {
  const batch = packSessions([[3]], { positions: Int32Array.of(0), itemIds: Int32Array.of(4) });
  const windows = [
    [4, 4, 4, 5],
    [5, 5, 6],
  ].map((items) => packSessions([items]));
  const listAfter = (config: Record<string, unknown>) => {
    const model = models.popularity.create(models.popularity.configSchema.parse(config), { numRows: 7, seed: 0 });
    for (const { itemIds, offsets } of windows) model.kind === 'statistical' && model.fitWindow({ itemIds, offsets });
    return [[...model.recommend(batch, 4).itemIds], [...model.rankTargets(batch)]];
  };
  // last window: 5 twice, 6 once, 3 and 4 never (a tie that counts against 4)
  expect(listAfter({})).toEqual([[5, 6, 3, 4], [4]]);
  // all: 4 and 5 three times each, 6 once
  expect(listAfter({ over: 'all' })).toEqual([[4, 5, 6, 3], [2]]);
});

test('sasrec says what to do with a session that is too long', () => {
  const model = create('sasrec', { maxLength: 2 });
  expect(() => model.rankTargets(causalBatch([[3, 4, 5, 6]]))).toThrow(/more than maxLength = 2 events; truncate/);
  model.dispose();
});
