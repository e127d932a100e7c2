import { readFileSync } from 'node:fs';
import {
  averagePrecisionOfTargetsAtK,
  coverageAtK,
  entropyAtK,
  giniAtK,
  meanPopularityAtK,
  mrrOfTargetsAtK,
  ndcgOfTargetsAtK,
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
