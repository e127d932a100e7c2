import { packSessions } from '@nimue/batch';
import { assertClose } from '@nimue/testing';
import * as models from './models.ts';
import type { StatisticalModel } from './next-item-model.ts';

const SESSIONS = [
  [3, 4, 3],
  [4, 5],
  [3, 5],
];
/** Of the seven clicks. */
const WEIGHTS = Float32Array.of(1, 4, 9, 1, 16, 4, 1);

function fitted(name: 'popularity' | 'sessionPopularity' | 'itemKnn', config: object, weights?: Float32Array) {
  const spec = models[name];
  const model = spec.create(spec.configSchema.parse(config) as never, { numRows: 6, seed: 1 }) as StatisticalModel;
  const { itemIds, offsets } = packSessions(SESSIONS);
  model.fitWindow({ itemIds, offsets, ...(weights && { eventWeights: weights }) });
  return model;
}

/** Scores of the items 3, 4, 5 after a click on the first. */
function scoresAfter(model: StatisticalModel, item: number): number[] {
  const batch = packSessions([[item]], { positions: Int32Array.of(0), itemIds: Int32Array.of(3) });
  const { itemIds, scores } = model.recommend(batch, 3);
  const byItem = new Map([...itemIds].map((id, place) => [id, scores[place]]));
  return [3, 4, 5].map((id) => byItem.get(id) ?? 0);
}

test('popularity adds up the weights of the clicks', () => {
  assertClose('scores', scoresAfter(fitted('popularity', {}, WEIGHTS), 3), [1 + 9 + 4, 4 + 1, 16 + 1], 1e-6);
  assertClose('without weights', scoresAfter(fitted('popularity', {}), 3), [3, 2, 2], 1e-6);
});

test('sessionPopularity: what all clicked on counts by weight, what the session clicked on by clicks', () => {
  const scores = scoresAfter(fitted('sessionPopularity', {}, WEIGHTS), 4);
  assertClose('scores', scores, [14 / 18, 1 + 5 / 18, 17 / 18], 1e-6);
});

test('itemKnn: a click on i counts √(w w′), and the supports are sums of weights', () => {
  const model = fitted('itemKnn', { regularization: 0 }, WEIGHTS);
  // Item 3 has √1 + √9 = 4 in the first session, where 4 has √4; and √4 in the third, where 5 has √1.
  const [own, four, five] = [14, 5, 17];
  assertClose(
    'after 3',
    scoresAfter(model, 3),
    [0, (4 * 2) / Math.sqrt(own * four), (2 * 1) / Math.sqrt(own * five)],
    1e-6,
  );
});

test('weights that are all the same change no similarity', () => {
  const plain = fitted('itemKnn', { regularization: 0 });
  const heavy = fitted('itemKnn', { regularization: 0 }, new Float32Array(7).fill(7));
  for (const item of [3, 4, 5]) assertClose(`after ${item}`, scoresAfter(heavy, item), scoresAfter(plain, item), 1e-6);
});

test('a later window with weights goes on from one without', () => {
  const model = fitted('popularity', { over: 'all' });
  const { itemIds, offsets } = packSessions([[4, 5]]);
  model.fitWindow({ itemIds, offsets, eventWeights: Float32Array.of(0.5, 2) });
  assertClose('scores', scoresAfter(model, 3), [3, 2.5, 4], 1e-6);
  const knn = fitted('itemKnn', { regularization: 0 });
  knn.fitWindow({ itemIds, offsets, eventWeights: Float32Array.of(4, 9) });
  // Before: 1 session with a click each of 4 and 5. Now √(4 · 9) more; supports 2 + 4 and 2 + 9.
  assertClose('after 4', scoresAfter(knn, 4).slice(2), [(1 + 6) / Math.sqrt(6 * 11)], 1e-6);
});

test('weights of another number than the clicks are refused', () => {
  expect(() => fitted('popularity', {}, Float32Array.of(1))).toThrow(
    'popularity: train sessions: eventWeights has length 1, expected 7',
  );
});
