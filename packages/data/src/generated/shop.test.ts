import { datasetFromSessions } from '../dataset/dataset-from-sessions.ts';
import { DAY_MS } from '../windows/calendar.ts';
import { generateShop } from './generate-shop.ts';
import { oracleRanks, shopOracle } from './shop-oracle.ts';
import { type ShopInput, shopSchema } from './shop-schema.ts';

const SMALL: ShopInput = {
  days: 3,
  sessionsPerDay: 200,
  numItems: 80,
  numCategories: 4,
  linesPerCategory: 3,
  newItemsPerDay: 4,
  seed: 5,
};
const START = Date.UTC(2024, 0, 1);

interface ShopSession {
  id: string;
  items: string[];
  timestampsMs: number[];
}

function sessionsOf(options: ShopInput): ShopSession[] {
  const sessions = new Map<string, ShopSession>();
  for (const day of generateShop(options)) {
    day.sessionIds.forEach((id, i) => {
      const session = sessions.get(id) ?? { id, items: [], timestampsMs: [] };
      session.items.push(day.itemIds[i]);
      session.timestampsMs.push(day.timestampsMs[i]);
      sessions.set(id, session);
    });
  }
  return [...sessions.values()];
}

test('the same seed gives the same log, another seed another one', () => {
  const [first] = generateShop(SMALL);
  expect([...generateShop(SMALL)][0]).toEqual(first);
  expect([...generateShop({ ...SMALL, seed: 6 })][0]).not.toEqual(first);
});

test('the log looks like a shop: days, new items, no immediate repeats, no session over midnight', () => {
  const sessions = sessionsOf(SMALL);
  expect(sessions).toHaveLength(600);
  const meanLength = sessions.reduce((sum, { items }) => sum + items.length, 0) / 600;
  expect(Math.abs(meanLength - 6)).toBeLessThan(0.5);
  const itemsOfDay = [new Set<string>(), new Set<string>(), new Set<string>()];
  for (const { items, timestampsMs } of sessions) {
    expect(items.length).toBeGreaterThanOrEqual(2);
    const day = Math.floor((timestampsMs[0] - START) / DAY_MS);
    expect(Math.floor((timestampsMs[timestampsMs.length - 1] - START) / DAY_MS)).toBe(day);
    items.forEach((item, i) => {
      expect(item).not.toBe(items[i - 1]);
      itemsOfDay[day].add(item);
    });
  }
  expect([...itemsOfDay[1]].filter((item) => Number(item.slice(5)) >= 80).sort()).toEqual([
    'item-80',
    'item-81',
    'item-82',
    'item-83',
  ]);
});

test('oracle: probabilities add up to 1, and ranks and best values follow from them', () => {
  const oracle = shopOracle(SMALL);
  for (const { items, timestampsMs } of sessionsOf(SMALL).slice(0, 60)) {
    const prefix = items.slice(0, -1);
    const at = timestampsMs[0];
    const { itemIds, probabilities } = oracle.distribution(prefix, at);
    expect(itemIds).toHaveLength(79);
    expect(probabilities.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    expect(itemIds).not.toContain(prefix[prefix.length - 1]);
    for (const target of [items[items.length - 1], itemIds[3], itemIds[40]]) {
      const wanted = probabilities[itemIds.indexOf(target)];
      const rank = probabilities.reduce((count, p) => count + (p >= wanted ? 1 : 0), 0);
      expect(oracle.rankOfTarget(prefix, at, target)).toBe(rank);
    }
    const top = [...probabilities.subarray(0, 5)];
    expect(oracle.bestRecallAtK(prefix, at, 5)).toBeCloseTo(
      top.reduce((a, b) => a + b),
      12,
    );
    expect(oracle.bestNdcgAtK(prefix, at, 5)).toBeCloseTo(
      top.reduce((sum, p, r) => sum + p / Math.log2(r + 2), 0),
      12,
    );
  }
});

test('oracle: only the last two items and the day matter; what is not on sale comes last', () => {
  const oracle = shopOracle(SMALL);
  const rank = (prefix: string[], at = START) => oracle.rankOfTarget(prefix, at, 'item-7');
  expect(rank(['item-1', 'item-2', 'item-3'])).toBe(rank(['item-9', 'item-2', 'item-3']));
  expect(rank(['item-2', 'item-3'], START + 1)).toBe(rank(['item-2', 'item-3'], START + DAY_MS - 1));
  expect(oracle.rankOfTarget(['item-1'], START, 'item-80')).toBe(81);
  expect(oracle.rankOfTarget(['item-1'], START, 'item-1')).toBe(81);
  expect(() => rank(['shoe-1'])).toThrow("'shoe-1' is not an item of this shop");
  expect(() => rank(['item-1'], START - 1)).toThrow(
    '2023-12-31T23:59:59.999Z is not one of the 3 days from 2024-01-01',
  );
});

test('default shop: what is reached is what was expected, and popularity is far below', async () => {
  const dataset = datasetFromSessions(sessionsOf({}));
  const oracle = shopOracle();
  const rawItemId = (code: number) => dataset.rawItemId(code);
  const gain = (rank: number) => (rank <= 20 ? 1 / Math.log2(rank + 1) : 0);
  let [numTargets, reached, expected, popular] = [0, 0, 0, 0];
  for (let w = 1; w < dataset.windows.length; w++) {
    const clicks = new Map<number, number>();
    for (const code of (await dataset.read(w - 1, 'train')).itemCodes) clicks.set(code, (clicks.get(code) ?? 0) + 1);
    const byClicks = [...clicks].sort((a, b) => b[1] - a[1]).map(([code]) => code);
    const sessions = await dataset.read(w, 'train');
    const ranks = oracleRanks(oracle, sessions, rawItemId);
    ranks.forEach((rank, s) => {
      const last = sessions.offsets[s + 1] - 1;
      const prefix = Array.from(sessions.itemCodes.subarray(sessions.offsets[s], last), rawItemId);
      numTargets++;
      reached += gain(rank);
      expected += oracle.bestNdcgAtK(prefix, sessions.timestampsMs[last], 20);
      popular += gain(byClicks.indexOf(sessions.itemCodes[last]) + 1 || Number.POSITIVE_INFINITY);
    });
  }
  expect(numTargets).toBe(10_500);
  expect(Math.abs(reached - expected) / numTargets).toBeLessThan(0.01);
  expect(reached / numTargets).toBeGreaterThan(0.5);
  expect(popular / numTargets).toBeLessThan(0.07);
});

test('options out of range are refused', () => {
  expect(() => [...generateShop({ numItems: 30 })]).toThrow('30 items are too few for 120 product lines');
  expect(() => shopSchema.parse({ noise: 2 })).toThrow();
  expect(() => shopSchema.parse({ sesions: 2 })).toThrow('Unrecognized key');
});
