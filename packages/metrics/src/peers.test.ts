import { readFileSync } from 'node:fs';
import {
  averagePrecisionOfTargetsAtK,
  categoryDistance,
  coverageAtK,
  entropyAtK,
  giniAtK,
  intraListDiversityAtK,
  meanPopularityAtK,
  mrrOfTargetsAtK,
  ndcgOfTargetsAtK,
  noveltyAtK,
  overlapAtK,
  precisionOfTargetsAtK,
  rankBiasedPrecisionAtK,
  recallOfTargetsAtK,
  serendipityAtK,
} from './index.ts';

// What the peers' own code gives for one case; fixtures/make-peers.py says which versions and how.
interface Peers {
  readonly k: readonly number[];
  readonly numItems: number;
  readonly lists: readonly number[][];
  readonly targets: readonly number[][];
  readonly histories: readonly number[][];
  readonly values: Record<'RecTools' | 'RecBole' | 'ranx' | 'Transformers4Rec', Record<string, Values>> & {
    ranx: { 'rbp.8': readonly number[] };
  };
}
type Values = Record<string, readonly number[]> & { coverage: number; gini: number; entropy: number };

const peers: Peers = JSON.parse(readFileSync(new URL('../fixtures/peers.json', import.meta.url), 'utf8'));
const { lists, targets, numItems } = peers;
const notFound = 1000;
const targetRanks = targets.map((ids, n) => ids.map((id) => lists[n].indexOf(id) + 1 || notFound));
const recommended = { itemIds: Int32Array.from(lists.flat()), length: 10 };
const clicks = new Array<number>(numItems + 1).fill(0);
for (const item of peers.histories.flat()) clicks[item]++;
const numClicks = peers.histories.flat().length;

function expectClose(ours: ArrayLike<number>, theirs: readonly number[]) {
  expect(ours).toHaveLength(theirs.length);
  // Transformers4Rec computes in float32.
  theirs.forEach((value, n) => {
    expect(ours[n]).toBeCloseTo(value, 6);
  });
}

describe.each(peers.k)('k = %p', (k) => {
  test.each(['RecTools', 'RecBole', 'ranx', 'Transformers4Rec'] as const)(
    'recall, precision and MRR are those of %s',
    (peer) => {
      const theirs = peers.values[peer][k];
      expectClose(recallOfTargetsAtK(targetRanks, k), theirs.recall);
      expectClose(precisionOfTargetsAtK(targetRanks, k), theirs.precision);
      expectClose(mrrOfTargetsAtK(targetRanks, k), theirs.mrr);
      if (theirs.hitRate) {
        expectClose(
          mrrOfTargetsAtK(targetRanks, k).map((value) => Math.sign(value)),
          theirs.hitRate,
        );
      }
    },
  );

  test('NDCG is that of RecBole and ranx', () => {
    expectClose(ndcgOfTargetsAtK(targetRanks, k), peers.values.RecBole[k].ndcg);
    expectClose(ndcgOfTargetsAtK(targetRanks, k), peers.values.ranx[k].ndcg);
  });

  test('RecTools divides NDCG by the gain of k targets, however many there are', () => {
    const ideal = (count: number) =>
      Array.from({ length: count }, (_, i) => 1 / Math.log2(i + 2)).reduce((a, b) => a + b);
    const ours = ndcgOfTargetsAtK(targetRanks, k);
    const theirs = targets.map((ids, n) => (ours[n] * ideal(Math.min(ids.length, k))) / ideal(k));
    expectClose(theirs, peers.values.RecTools[k].ndcg);
  });

  test('Transformers4Rec divides NDCG by what its longest list holds: with one target it is ours, with several not', () => {
    const longest = Math.max(...peers.k);
    const found = targetRanks.map((ranks) => ranks.filter((rank) => rank <= longest));
    const theirs = found.map((ranks) => (ranks.length === 0 ? 0 : ndcgOfTargetsAtK([ranks], k)[0]));
    expectClose(theirs, peers.values.Transformers4Rec[k].ndcg);
  });

  test('average precision is that of RecBole and Transformers4Rec', () => {
    expectClose(averagePrecisionOfTargetsAtK(targetRanks, k), peers.values.RecBole[k].map);
    expectClose(averagePrecisionOfTargetsAtK(targetRanks, k), peers.values.Transformers4Rec[k].map);
  });

  test('RecTools and ranx divide average precision by all targets, also those that k places cannot hold', () => {
    const ours = averagePrecisionOfTargetsAtK(targetRanks, k);
    const theirs = targets.map((ids, n) => (ours[n] * Math.min(ids.length, k)) / ids.length);
    expectClose(theirs, peers.values.RecTools[k].map);
    expectClose(theirs, peers.values.ranx[k].map);
  });

  test('coverage and Gini are those of RecBole, entropy too once it is not divided by the number of different items', () => {
    const { coverage, gini, entropy } = peers.values.RecBole[k];
    expect(coverageAtK(recommended, k, { numItems })).toBeCloseTo(coverage, 12);
    expect(giniAtK(recommended, k, { numItems })).toBeCloseTo(gini, 12);
    const numDifferent = coverage * numItems;
    expect(entropyAtK(recommended, k)).toBeCloseTo((entropy * numDifferent) / Math.LN2, 12);
  });

  test('mean popularity is that of RecTools and RecBole, as a share of the clicks', () => {
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const ours = meanPopularityAtK(recommended, k, { clicks }) * numClicks;
    expect(ours).toBeCloseTo(mean(peers.values.RecTools[k].popularity), 12);
    expect(ours).toBeCloseTo(mean(peers.values.RecBole[k].popularity), 12);
  });

  test('serendipity is that of RecTools', () => {
    const ours = targets.map((ids, n) =>
      ids
        .map((id) => {
          const list = { itemIds: Int32Array.from(lists[n]), length: 10 };
          return serendipityAtK(list, k, { numItems, clicks, targetIds: Int32Array.of(id) });
        })
        .reduce((sum, value) => sum + value, 0),
    );
    expectClose(ours, peers.values.RecTools[k].serendipity);
  });
});

test('rank-biased precision is that of ranx', () => {
  const ours = targetRanks.map((ranks) => rankBiasedPrecisionAtK(ranks, 10).reduce((sum, value) => sum + value, 0));
  expectClose(ours, peers.values.ranx['rbp.8']);
});

// fixtures/make-peers-lists.py: RecTools on the same lists.
const more: {
  readonly k: readonly number[];
  readonly others: readonly number[][];
  readonly categories: readonly number[];
  readonly values: Record<string, Record<'novelty' | 'diversity' | 'overlap', readonly number[]>>;
} = JSON.parse(readFileSync(new URL('../fixtures/peers-lists.json', import.meta.url), 'utf8'));

describe.each(more.k)('lists alone, k = %p', (k) => {
  const theirs = more.values[k];
  const each = (compute: (n: number, list: { itemIds: Int32Array; length: number }) => number) =>
    lists.map((ids, n) => compute(n, { itemIds: Int32Array.from(ids), length: 10 }));

  test('intra-list diversity by category and overlap are those of RecTools', () => {
    const distance = categoryDistance([-1, ...more.categories]);
    expectClose(
      each((_n, list) => intraListDiversityAtK(list, k, distance)),
      theirs.diversity,
    );
    expectClose(
      each((n, list) => overlapAtK(list, { itemIds: Int32Array.from(more.others[n]), length: 10 }, k)),
      theirs.overlap,
    );
  });

  test('RecTools counts people where novelty counts clicks: the same but for a constant, where nobody clicks twice', () => {
    const people = new Array<number>(numItems + 1).fill(0);
    for (const history of peers.histories) for (const item of new Set(history)) people[item]++;
    const numClicksOnce = people.reduce((a, b) => a + b);
    const shift = Math.log2(numClicksOnce / peers.histories.length);
    expectClose(
      each((_n, list) => noveltyAtK(list, k, { clicks: people }) - shift),
      theirs.novelty,
    );
  });
});

describe('the table of apps/docs/metrics.md', () => {
  const page = readFileSync(new URL('../../../apps/docs/metrics.md', import.meta.url), 'utf8');
  const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
  const decimals = (value: number) => value.toFixed(3).replace(/^0/, '');
  const k = 5;
  const single = targets.map((ids) => ids.length === 1);
  const ofSingle = (values: ArrayLike<number>) => Array.from(values).filter((_, n) => single[n]);
  const ndcg = ndcgOfTargetsAtK(targetRanks, k);
  const map = averagePrecisionOfTargetsAtK(targetRanks, k);
  const theirs = (peer: keyof Peers['values']) => peers.values[peer][k];

  test.each([
    ['NDCG@5, one target', [ofSingle(ndcg), ofSingle(theirs('RecTools').ndcg)]],
    ['NDCG@5, several targets', [ndcg, theirs('RecTools').ndcg, theirs('Transformers4Rec').ndcg]],
    ['MAP@5', [map, theirs('RecTools').map]],
    ['Shannon entropy@5', [[entropyAtK(recommended, k)], [theirs('RecBole').entropy]]],
    ['mean popularity@5', [[meanPopularityAtK(recommended, k, { clicks })], theirs('RecTools').popularity]],
    ['novelty@5', [[noveltyAtK(recommended, k, { clicks })], more.values[k].novelty]],
  ] as [string, ArrayLike<number>[]][])('says by how much: %s', (row, values) => {
    const line = page.split('\n').find((text) => text.startsWith(`| ${row} `)) ?? '';
    for (const each of values) expect([row, line]).toEqual([row, expect.stringContaining(decimals(mean(each)))]);
  });
});
