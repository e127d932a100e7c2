import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { QUESTIONS, trainSmall } from '../test/train-small.ts';
import { hnswSearch, type ItemVectors, Recommender } from './index.ts';

const root = mkdtempSync(join(tmpdir(), 'nimue-hnsw-'));
beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
});
afterAll(() => rmSync(root, { recursive: true }));

/** Items of very different lengths and biases: the nearest by distance are not those with the highest scores. */
function drawVectors(numItems: number, width: number, seed: number): ItemVectors {
  const random = createRandom(seed);
  const table = new Float32Array((3 + numItems) * width);
  const bias = new Float32Array(3 + numItems);
  for (let id = 3; id < 3 + numItems; id++) {
    const length = 0.2 + 2 * random();
    for (let d = 0; d < width; d++) table[id * width + d] = length * (random() + random() - 1);
    bias[id] = random() - 0.5;
  }
  return { table, width, bias };
}

function best({ table, width, bias }: ItemVectors, hidden: Float32Array, count: number): number[] {
  const score = (id: number) => hidden.reduce((sum, h, d) => sum + h * table[id * width + d], bias?.[id] ?? 0);
  const ids = Array.from({ length: table.length / width - 3 }, (_, i) => 3 + i);
  return ids.sort((a, b) => score(b) - score(a)).slice(0, count);
}

test('finds the items with the highest scores, not those that are nearest', () => {
  const vectors = drawVectors(3000, 12, 5);
  const search = hnswSearch({ threads: 1 });
  search.build(vectors);
  const random = createRandom(9);
  let hits = 0;
  for (let n = 0; n < 40; n++) {
    const hidden = Float32Array.from({ length: 12 }, () => 2 * random() - 1);
    const found = new Set(search.find(hidden, 10));
    expect(Math.min(...found)).toBeGreaterThanOrEqual(3);
    hits += best(vectors, hidden, 10).filter((id) => found.has(id)).length;
  }
  expect(hits / 400).toBeGreaterThan(0.97);
});

test('no item, one item, and more asked for than there are', () => {
  const search = hnswSearch();
  expect([...search.find(new Float32Array(2), 3)]).toEqual([]);
  search.build({ table: new Float32Array(6), width: 2 });
  expect([...search.find(new Float32Array(2), 3)]).toEqual([]);
  search.build({ table: Float32Array.of(0, 0, 0, 0, 0, 0, 1, 2), width: 2 });
  expect([...search.find(Float32Array.of(1, 1), 3)]).toEqual([3]);
});

test('a recommender that searches gives the scores of one that looks at every item', async () => {
  await trainSmall('gru4rec', join(root, 'gru'));
  const recommender = Recommender.load(join(root, 'gru'));
  const sessions = QUESTIONS.map(({ items }) => ({ items }));
  expect(recommender.measureRecall(sessions, 5)).toBe(1);
  const options = { sessions, k: 5, withScores: true, filterSeen: true, exclude: ['i4'] };
  const exact = recommender.recommend(options);
  recommender.useSearch(hnswSearch());
  expect(recommender.measureRecall(sessions, 5)).toBe(1);
  recommender.recommend(options).forEach(({ items }, s) => {
    expect(items.map(({ item }) => item)).toEqual(exact[s].items.map(({ item }) => item));
    for (const [place, { score }] of items.entries()) {
      expect(score).toBeCloseTo(exact[s].items[place].score as number, 5);
    }
  });
  recommender.useSearch(undefined);
  expect(recommender.recommend(options)).toEqual(exact);
  recommender.dispose();
  await trainSmall('popularity', join(root, 'counts'));
  const counts = Recommender.load(join(root, 'counts'));
  expect(() => counts.useSearch(hnswSearch())).toThrow('has no item vectors');
  counts.dispose();
});
