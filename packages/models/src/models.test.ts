import { FIRST_ITEM_ID, packSessions, type SessionBatch } from '@nimue/batch';
import { assertClose, causalBatch, checkerboardSessions, numericGradient } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { batchLoss, trainBriefly } from '../test/train-briefly.ts';
import * as models from './models.ts';
import type { AnyModel, NeuralModel } from './next-item-model.ts';
import { rankAndRecommend } from './rank-and-recommend.ts';

/** Small variants of every model; a model that is not listed here fails the first test. */
const VARIANTS: Record<keyof typeof models, Record<string, unknown>[]> = {
  popularity: [{}, { over: 'all' }, { over: 'decayed', halfLifeWindows: 2 }],
  sessionPopularity: [{}],
  markov: [{}, { maxSuccessors: 1 }],
  sequentialRules: [{}, { steps: 1, weighting: 'quadratic', maxRules: 2 }],
  associationRules: [{}],
  itemKnn: [{}, { over: 'session', regularization: 0, k: 2 }],
  sknn: [{}, { similarity: 'jaccard', k: 1, remind: false }],
  vsknn: [{}, { weighting: 'linear', scoreWeighting: 'log', idfWeight: 1, lastClicks: 2, pushReminders: true }],
  stan: [{ recencyDecayDays: null }],
  vstan: [{ recencyDecayDays: null }, { recencyDecayDays: null, k: 1, remind: false, idfWeight: null }],
  ease: [{}, { regularization: 0.5 }],
  gru4rec: [
    { hiddenSize: 6, inputDropout: 0, hiddenDropout: 0 },
    { hiddenSize: 5, numLayers: 2, embedding: 'separate', inputDropout: 0.1, hiddenDropout: 0.1 },
  ],
  sasrec: [
    { hiddenSize: 6, numHeads: 2, numBlocks: 1, maxLength: 8, dropout: 0 },
    { hiddenSize: 5, numBlocks: 2, norm: 'post', maxLength: 8, dropout: 0.1 },
    { hiddenSize: 4, numBlocks: 1, usePositions: false, maxLength: 8, feedForwardSize: 7, dropout: 0 },
  ],
};

const NUM_ITEMS = 6;
const NUM_ROWS = NUM_ITEMS + FIRST_ITEM_ID;
const SESSIONS = [
  [3, 5, 7, 3],
  [4, 6],
  [8, 8, 3],
];

function create(name: keyof typeof models, config: Record<string, unknown>, numRows = NUM_ROWS, seed = 1): AnyModel {
  const spec = models[name];
  const model = spec.create(spec.configSchema.parse(config) as never, { numRows, seed });
  if (model.kind === 'statistical') {
    const batch = packSessions(SESSIONS);
    model.fitWindow({ itemIds: batch.itemIds.filter((id) => id < numRows), offsets: batch.offsets });
  }
  return model;
}

/** The scores of all items after every position, as item id → score. */
function scoresOf(model: AnyModel, sessions: number[][]): Map<number, number>[] {
  const batch = everyPosition(sessions);
  const numItems = model.numRows - FIRST_ITEM_ID;
  const top = model.recommend(batch, numItems);
  return [...batch.targets.positions].map((_, n) => {
    const places = Array.from({ length: numItems }, (_, place) => n * numItems + place);
    return new Map(places.map((i) => [top.itemIds[i], top.scores[i]] as const));
  });
}

function everyPosition(sessions: number[][]): SessionBatch {
  const numPositions = sessions.reduce((sum, session) => sum + session.length, 0);
  return packSessions(sessions, {
    positions: Int32Array.from({ length: numPositions }, (_, i) => i),
    itemIds: new Int32Array(numPositions).fill(FIRST_ITEM_ID),
  });
}

function expectSameScores(actual: Map<number, number>[], expected: Map<number, number>[], tolerance = 1e-5): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((scores, n) => {
    const ids = [...expected[n].keys()];
    assertClose(
      `scores after position ${n}`,
      ids.map((id) => scores.get(id) ?? Number.NaN),
      ids.map((id) => expected[n].get(id) ?? Number.NaN),
      tolerance,
    );
  });
}

beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
});

test('every model of the list is under test', () => {
  expect(Object.keys(VARIANTS).sort()).toEqual(Object.keys(models).sort());
});

const cases = Object.entries(VARIANTS).flatMap(([name, variants]) =>
  variants.map((config) => [name as keyof typeof models, JSON.stringify(config), config] as const),
);

describe.each(cases)('%s %s', (name, _label, config) => {
  let model: AnyModel;
  beforeEach(() => {
    model = create(name, config);
  });
  afterEach(() => model.dispose());

  test('a session scores alike alone, packed with others, and in any order', () => {
    const together = scoresOf(model, SESSIONS);
    const reversed = scoresOf(model, [...SESSIONS].reverse());
    const [first, second, third] = SESSIONS.map((session) => scoresOf(model, [session]));
    expectSameScores(together, [...first, ...second, ...third]);
    expectSameScores(reversed, [...third, ...second, ...first]);
  });

  test('a later click never changes an earlier position', () => {
    const before = scoresOf(model, [[3, 5, 7, 3, 4]]);
    const after = scoresOf(model, [[3, 5, 7, 8, 6]]);
    expectSameScores(after.slice(0, 3), before.slice(0, 3), 0);
  });

  test('changing only the target changes no score', () => {
    const batch = causalBatch(SESSIONS);
    const other = { ...batch, targets: { ...batch.targets, itemIds: batch.targets.itemIds.map((id) => 11 - id) } };
    const [a, b] = [batch, other].map((x) => model.recommend(x, NUM_ITEMS));
    expect([...a.itemIds]).toEqual([...b.itemIds]);
    expect([...a.scores]).toEqual([...b.scores]);
  });

  test('evaluate = recommend: the rank is the place in the list; a tie is never better than its place', () => {
    const batch = causalBatch(SESSIONS);
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

  test('reserved ids are never recommended', () => {
    const { itemIds } = model.recommend(causalBatch(SESSIONS), NUM_ITEMS);
    expect(Math.min(...itemIds)).toBe(FIRST_ITEM_ID);
  });

  test('resizeItems leaves every other score as it is', () => {
    const before = scoresOf(model, SESSIONS);
    model.resizeItems(NUM_ROWS + 4);
    expect(model.numRows).toBe(NUM_ROWS + 4);
    const after = scoresOf(model, SESSIONS).map((scores) => new Map([...scores].filter(([id]) => id < NUM_ROWS)));
    expectSameScores(after, before, 1e-6);
    expect(() => model.resizeItems(NUM_ROWS)).toThrow('shrink');
  });

  test('leaves no tensor behind', () => {
    const batch = causalBatch(SESSIONS);
    const before = tf.memory().numTensors;
    model.rankTargets(batch);
    model.recommend(batch, 2);
    const other = create(name, config);
    if (other.kind === 'neural') trainBriefly(other, batch, 2);
    other.resizeItems(NUM_ROWS + 1);
    other.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('one event, one item, nothing', () => {
    expect(model.recommend(everyPosition([[4]]), 1).itemIds).toHaveLength(1);
    expect(model.recommend(everyPosition([]), 3).itemIds).toHaveLength(0);
    const single = create(name, config, FIRST_ITEM_ID + 1);
    expect([...single.rankTargets(causalBatch([[3, 3]]))]).toEqual([1]);
    single.dispose();
  });

  test('refuses an unknown key', () => {
    expect(() => models[name].configSchema.parse({ ...config, hidenSize: 3 })).toThrow('hidenSize');
  });
});

const neuralCases = cases.filter(([name]) => models[name].kind === 'neural');

describe.each(neuralCases)('neural: %s %s', (name, _label, config) => {
  // Vectors of a usual length, so that a finite step is small beside them.
  const makeNeural = (seed = 1, numRows = NUM_ROWS) =>
    create(name, { ...config, initStd: 0.6 }, numRows, seed) as NeuralModel;

  test('learns the checkerboard: the next item of the walk comes first', () => {
    const numItems = 8;
    const walks = (numSessions: number, length: number) =>
      checkerboardSessions({ firstItemId: FIRST_ITEM_ID, numItems, numSessions, length });
    const spec = models[name];
    const wide = { ...config, hiddenSize: 12, ...('dropout' in config && { dropout: 0 }) };
    const model = spec.create(spec.configSchema.parse(wide) as never, { numRows: numItems + FIRST_ITEM_ID, seed: 3 });
    trainBriefly(model as NeuralModel, causalBatch(walks(8, 6)), 80, 0.03);
    const ranks = model.rankTargets(causalBatch(walks(4, 5)));
    model.dispose();
    expect([...ranks]).toEqual(new Array(ranks.length).fill(1));
  });

  test('same seed, same weights after 5 steps, bit for bit; another seed, others', () => {
    const [a, b, c] = [1, 1, 2].map((seed) => {
      const model = makeNeural(seed);
      trainBriefly(model, causalBatch(SESSIONS), 5);
      const weights = model.parameters.read();
      model.dispose();
      return weights;
    });
    expect(a).toEqual(b);
    expect(a.get('items')).not.toEqual(c.get('items'));
  });

  test('the gradient of every parameter agrees with central differences', () => {
    const model = makeNeural();
    const batch = causalBatch(SESSIONS);
    const { parameters } = model;
    const variables = parameters.names.map((name) => parameters.variable(name));
    const { value, grads } = tf.variableGrads(() => batchLoss(model, batch, 7), variables);
    const weights = parameters.read();
    for (const name of parameters.names) {
      const gradient = grads[parameters.variable(name).name];
      expect(gradient).toBeDefined();
      const values = weights.get(name) as Float32Array;
      const probe = values.slice(0, 24);
      const f = () => {
        values.set(probe);
        parameters.write(weights);
        return tf.tidy(() => batchLoss(model, batch, 7).dataSync()[0]);
      };
      assertClose(name, gradient.dataSync().slice(0, 24), numericGradient(f, probe, 2e-3), 4e-3);
      f();
    }
    tf.dispose([value, grads]);
    model.dispose();
  });

  test('rows of reserved ids stay 0 while the others learn', () => {
    const model = makeNeural();
    const before = model.parameters.read().get('items') as Float32Array;
    trainBriefly(model, causalBatch(SESSIONS), 2);
    const after = model.parameters.read().get('items') as Float32Array;
    const width = after.length / NUM_ROWS;
    expect([...after.subarray(0, FIRST_ITEM_ID * width)]).toEqual(new Array(FIRST_ITEM_ID * width).fill(0));
    expect(after.subarray(FIRST_ITEM_ID * width)).not.toEqual(before.subarray(FIRST_ITEM_ID * width));
    model.dispose();
  });

  test('a table that grew equals a table that was large from the start', () => {
    const grown = makeNeural(1, NUM_ROWS);
    grown.resizeItems(NUM_ROWS + 3);
    const large = makeNeural(1, NUM_ROWS + 3);
    expect(grown.parameters.read()).toEqual(large.parameters.read());
    grown.dispose();
    large.dispose();
  });

  test('weights written back give the same scores; a wrong length writes nothing', () => {
    const [a, b] = [makeNeural(1), makeNeural(2)];
    b.parameters.write(a.parameters.read());
    expectSameScores(scoresOf(b, SESSIONS), scoresOf(a, SESSIONS), 0);
    expect(() => b.parameters.write(new Map([['items', new Float32Array(1)]]))).toThrow("'items' needs");
    a.dispose();
    b.dispose();
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

test('sasrec refuses heads that do not divide the width, in the words of the config', () => {
  const { error } = models.sasrec.configSchema.safeParse({ hiddenSize: 6, numHeads: 4 });
  expect(error?.issues[0]).toMatchObject({ path: ['numHeads'], message: 'hiddenSize must be a multiple of numHeads' });
});
