import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { bestItems, drawVectors } from '../test/draw-vectors.ts';
import { QUESTIONS, trainSmall } from '../test/train-small.ts';
import { clusterSearch, hnswSearch, type ItemSearch, type ItemVectors, Recommender } from './index.ts';
import { runSteps } from './steps.ts';

const root = mkdtempSync(join(tmpdir(), 'nimue-search-'));
beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
  await trainSmall('gru4rec', join(root, 'gru'), { config: { itemBias: true } });
  await trainSmall('popularity', join(root, 'counts'));
});
afterAll(() => rmSync(root, { recursive: true }));

/** The items that an index is to find, and how many it may look at. */
const SEARCHES: readonly (readonly [name: string, create: () => ItemSearch, share: number])[] = [
  ['hnsw', () => hnswSearch({ threads: 1 }), 0.01],
  ['clusters', () => clusterSearch({ numProbes: 80 }), 0.6],
];

/** The share of the ten best items of random states that is found. */
function recallOf(search: ItemSearch, vectors: ItemVectors, largestShare: number): number {
  const random = createRandom(9);
  const numItems = vectors.table.length / vectors.width - 3;
  let hits = 0;
  for (let n = 0; n < 40; n++) {
    const hidden = Float32Array.from({ length: vectors.width }, () => 2 * random() - 1);
    const ids = search.find(hidden, 10);
    const found = new Set(ids);
    expect(found.size).toBe(ids.length);
    expect(Math.min(...found)).toBeGreaterThanOrEqual(3);
    expect(Math.max(...found)).toBeLessThan(3 + numItems);
    expect(found.size).toBeLessThanOrEqual(largestShare * numItems);
    hits += bestItems(vectors, hidden, 10).filter((id) => found.has(id)).length;
  }
  return hits / 400;
}

describe.each(SEARCHES)('%s', (_name, create, share) => {
  test('finds the items with the highest scores, not those that are nearest', () => {
    const vectors = drawVectors(3000, 12, 5);
    const search = create();
    runSteps(search.build(vectors));
    expect(recallOf(search, vectors, share)).toBeGreaterThan(0.97);
    search.dispose?.();
  });

  test('items that are added are found, too', () => {
    const vectors = drawVectors(3000, 12, 5);
    const search = create();
    const { table, width, bias } = vectors;
    const half = 3 + 2000;
    runSteps(search.build({ table: table.subarray(0, half * width), width, bias: bias?.subarray(0, half) }));
    search.add(vectors, half);
    expect(recallOf(search, vectors, share)).toBeGreaterThan(0.95);
    search.dispose?.();
    expect(tf.memory().numTensors).toBe(0);
  });

  test('no item, one item, and more asked for than there are', () => {
    const search = create();
    expect([...search.find(new Float32Array(2), 3)]).toEqual([]);
    runSteps(search.build({ table: new Float32Array(6), width: 2 }));
    expect([...search.find(new Float32Array(2), 3)]).toEqual([]);
    const one = Float32Array.of(0, 0, 0, 0, 0, 0, 1, 2);
    search.add({ table: one, width: 2 }, 3);
    expect([...search.find(Float32Array.of(1, 1), 3)]).toEqual([3]);
    runSteps(search.build({ table: one, width: 2 }));
    expect([...search.find(Float32Array.of(1, 1), 3)]).toEqual([3]);
    search.dispose?.();
    expect(tf.memory().numTensors).toBe(0);
  });

  test('a recommender that searches gives the scores of one that looks at every item', () => {
    const recommender = Recommender.load(join(root, 'gru'));
    const sessions = QUESTIONS.map(({ items }) => ({ items }));
    expect(recommender.measureRecall(sessions, 5)).toBe(1);
    const options = { sessions, k: 5, withScores: true, filterSeen: true, exclude: ['i4'] };
    const exact = recommender.recommend(options);
    recommender.useSearch(create());
    expect(recommender.measureRecall(sessions, 5)).toBe(1);
    recommender.recommend(options).forEach(({ items }, s) => {
      expect(items.map(({ item }) => item)).toEqual(exact[s].items.map(({ item }) => item));
      for (const [place, { score }] of items.entries()) {
        expect(score).toBeCloseTo(exact[s].items[place].score as number, 5);
      }
    });
    recommender.useSearch(undefined);
    expect(recommender.recommend(options)).toEqual(exact);
    recommender.useSearch(create());
    recommender.dispose();
    expect(tf.memory().numTensors).toBe(0);
    const counts = Recommender.load(join(root, 'counts'));
    expect(() => counts.useSearch(create())).toThrow('has no item vectors');
    counts.dispose();
  });

  test('a model that is loaded aside searches as well, and lets others have their turn', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++);
    const aside = await Recommender.loadAside(join(root, 'gru'), { search: create() });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
    const recommender = Recommender.load(join(root, 'gru'));
    const sessions = QUESTIONS.map(({ items }) => ({ items }));
    const lists = (of: Recommender) => of.recommend({ sessions, k: 5 });
    expect(lists(aside)).toEqual(lists(recommender));
    aside.dispose();
    recommender.dispose();
    await expect(Recommender.loadAside(join(root, 'counts'), { search: create() })).rejects.toThrow(
      'has no item vectors',
    );
    await expect(Recommender.loadAside(join(root, 'nowhere'))).rejects.toThrow(
      /nowhere cannot be used: manifest\.json/,
    );
    expect(tf.memory().numTensors).toBe(0);
  });
});
