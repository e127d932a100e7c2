import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { featuresSchema } from '@nimue/data';
import * as tf from '@tensorflow/tfjs';
import { trainSmall } from '../test/train-small.ts';
import { hnswSearch, Recommender } from './index.ts';

const root = mkdtempSync(join(tmpdir(), 'nimue-new-items-'));

/** Sessions stay within a brand: a0 … a4, b0 … b4. Every event also says on which device it was. */
const sessions = Array.from({ length: 120 }, (_, s) => {
  const brand = 'ab'[s % 2];
  const items = Array.from({ length: 3 }, (_, i) => `${brand}${(s + i * (1 + (s % 3))) % 5}`);
  const startMs = Date.UTC(2024, 0, 1 + (s % 3)) + s * 1000;
  return {
    items,
    timestampsMs: items.map((_, i) => startMs + i),
    columns: { brand: items.map(() => brand), device: items.map((_, i) => (i === 0 ? 'phone' : 'desk')) },
  };
});
const features = featuresSchema.parse([
  { name: 'categorify', column: 'brand', as: 'brand' },
  { name: 'categorify', column: 'device', as: 'device' },
]);
const inputs = {
  features: [
    { kind: 'category', column: 'brand', role: 'item' },
    { kind: 'category', column: 'device', role: 'contextBefore' },
  ],
};
const ofBrand = (brand: string) => ({
  items: [`${brand}0`, `${brand}1`],
  columns: { brand: [brand, brand] },
  context: { device: 'phone' },
});
let recommender: Recommender;

beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
  await trainSmall('gru4rec', join(root, 'model'), {
    sessions,
    features,
    config: { hiddenSize: 8, inputs, inputDropout: 0, hiddenDropout: 0 },
    training: { epochs: 30, learningRate: 0.02, newItems: 'features', averageDecay: undefined },
  });
  await trainSmall('sasrec', join(root, 'plain'));
  await trainSmall('popularity', join(root, 'counts'));
});
beforeEach(() => {
  recommender = Recommender.load(join(root, 'model'));
});
afterEach(() => recommender.dispose());
afterAll(() => rmSync(root, { recursive: true }));

const scoresOf = (of: Recommender, brand: string) => {
  const [{ items }] = of.recommend({ sessions: [ofBrand(brand)], k: 99, withScores: true });
  return new Map(items.map(({ item, score }) => [item, score as number]));
};

test('an item that no session has shown is recommended where its features fit; no other score changes', () => {
  const before = ['a', 'b'].map((brand) => scoresOf(recommender, brand));
  recommender.addItems([
    { item: 'fresh a', title: 'A new one', columns: { brand: 'a' } },
    { item: 'fresh b', columns: { brand: 'b' } },
  ]);
  expect(recommender.numItems).toBe(12);
  ['a', 'b'].forEach((brand, i) => {
    const scores = scoresOf(recommender, brand);
    const other = brand === 'a' ? 'b' : 'a';
    expect(scores.get(`fresh ${brand}`)).toBeGreaterThan((scores.get(`fresh ${other}`) as number) + 1);
    for (let n = 0; n < 5; n++)
      expect(scores.get(`fresh ${brand}`)).toBeGreaterThan(scores.get(`${other}${n}`) as number);
    for (const [item, score] of before[i]) expect(scores.get(item)).toBeCloseTo(score, 4);
  });
  const [{ items }] = recommender.recommend({ sessions: [ofBrand('a')], candidates: ['fresh a'] });
  expect(items).toEqual([{ item: 'fresh a', title: 'A new one' }]);
  // It can be clicked, too.
  const clicked = { items: ['fresh a'], columns: { brand: ['a'] }, context: { device: 'desk' } };
  expect(recommender.recommend({ sessions: [clicked] })[0].unknownItems).toEqual([]);
  expect(recommender.similarItems({ items: ['fresh a'], k: 5 })[0].map(({ item }) => item[0])).not.toContain('b');
});

test('an item may be said to be like known ones, in a model without features of items', () => {
  const plain = Recommender.load(join(root, 'plain'));
  const ask = () => plain.recommend({ sessions: [{ items: ['i1'] }], k: 99, withScores: true })[0].items;
  const before = ask();
  plain.addItems([
    { item: 'twin', like: ['i3'] },
    { item: 9, like: ['i1', 'i2'] },
  ]);
  const after = new Map(ask().map(({ item, score }) => [item, score as number]));
  expect(after.get('twin')).toBe(after.get('i3'));
  expect(after.get('9')).toBeCloseTo(((after.get('i1') as number) + (after.get('i2') as number)) / 2, 5);
  expect([...after].filter(([item]) => !['twin', '9'].includes(item)).length).toBe(before.length);
  for (const { item, score } of before) expect(after.get(item)).toBe(score);
  plain.dispose();
});

test('what cannot be added is refused with a reason, and nothing is changed', () => {
  const { numItems } = recommender;
  expect(() => recommender.addItems([{ item: 'ok' }, { item: 'a1' }])).toThrow("item 'a1' is known already");
  expect(() => recommender.addItems([{ item: 'x' }, { item: 'x' }])).toThrow("item 'x' is there twice");
  expect(() => recommender.addItems([{ item: 'x', like: ['nobody'] }])).toThrow("cannot be like 'nobody'");
  expect(() => recommender.addItems([{ item: 'x', columns: { colour: 'red' } }])).toThrow(
    "item 'x': no feature of the model reads a column 'colour' (it reads: brand, device)",
  );
  expect(() =>
    recommender.addItems([
      { item: 'x', columns: { brand: 'a' } },
      { item: 'y', columns: { hue: 1 } },
    ]),
  ).toThrow('hue');
  expect(recommender.numItems).toBe(numItems);
  expect(recommender.isKnown('ok')).toBe(false);
  const plain = Recommender.load(join(root, 'plain'));
  expect(() => plain.addItems([{ item: 'x' }])).toThrow('no input has the role item');
  plain.dispose();
  const counts = Recommender.load(join(root, 'counts'));
  expect(() => counts.addItems([{ item: 'x', like: ['i1'] }])).toThrow('a model that counts cannot take in an item');
  counts.dispose();
});

test('the context of a session changes what is recommended, whatever way it is given', () => {
  const scores = (device: string | undefined, columns: Record<string, string[]> = {}) =>
    recommender.recommend({
      sessions: [
        { items: ['a0', 'a1'], columns: { brand: ['a', 'a'], ...columns }, ...(device && { context: { device } }) },
      ],
      withScores: true,
    })[0].items;
  expect(scores('desk')).not.toEqual(scores('phone'));
  expect(scores('desk')).toEqual(scores(undefined, { device: ['desk', 'desk'] }));
  const both = { items: ['a0'], columns: { device: ['desk'] }, context: { device: 'phone' } };
  expect(() => recommender.recommend({ sessions: [both] })).toThrow(
    "session 0: 'device' is both in columns and in context",
  );
  const short = { items: ['a0', 'a1'], columns: { device: ['desk'] } };
  expect(() => recommender.recommend({ sessions: [short] })).toThrow("session 0 has 2 items but 1 values of 'device'");
});

test('an index for search takes new items in', () => {
  recommender.useSearch(hnswSearch());
  recommender.addItems([{ item: 'fresh a', columns: { brand: 'a' } }]);
  expect(scoresOf(recommender, 'a').has('fresh a')).toBe(true);
  expect(recommender.measureRecall([ofBrand('a'), ofBrand('b')], 5)).toBe(1);
});
