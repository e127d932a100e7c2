import type { Sessions } from '../dataset/sessions.ts';
import { parseShopOptions, type ShopInput } from './shop-schema.ts';
import { createShopWorld, dayOf, itemName, type ShopDay } from './shop-world.ts';

/**
 * Knows the true next-item probabilities of a generated shop. `prefix` holds the raw item ids seen so far, oldest
 * first (only the last two matter); `atMs` is any instant of the day, e.g. the start of the window.
 */
export interface ShopOracle {
  /** True probability of every item on sale that day, most likely first; the last item cannot come again at once and is left out. */
  distribution(
    prefix: readonly string[],
    atMs: number,
  ): { readonly itemIds: string[]; readonly probabilities: Float64Array };
  /** Rank of the target by true probability, 1 = most likely. Ties count against it; an item not on sale comes last. */
  rankOfTarget(prefix: readonly string[], atMs: number, target: string): number;
  /** Expected NDCG@k of the best possible ranking: Σ_{r ≤ k} p_r / log2(r + 1). */
  bestNdcgAtK(prefix: readonly string[], atMs: number, k: number): number;
  /** Expected recall@k (hit rate) of the best possible ranking: Σ_{r ≤ k} p_r. */
  bestRecallAtK(prefix: readonly string[], atMs: number, k: number): number;
}

/**
 * The oracle of the log that `generateShop` makes from the same options.
 *
 * @throws from its methods when an item or the day does not belong to the shop
 *
 * @example
 * const oracle = shopOracle({ seed: 7 });
 * oracle.rankOfTarget(['item-3', 'item-8'], Date.UTC(2024, 0, 2), 'item-5');
 */
export function shopOracle(input: ShopInput = {}): ShopOracle {
  const world = createShopWorld(parseShopOptions(input));
  const noise = world.options.noise;

  function itemOf(name: string): number {
    const item = name.startsWith('item-') ? Number(name.slice(5)) : Number.NaN;
    if (Number.isInteger(item) && item >= 0 && item < world.numItems) return item;
    throw new Error(
      `shopOracle: '${name}' is not an item of this shop; were the log and the oracle made from the same options?`,
    );
  }

  /** p = scale · background + extra, where only the items of the three following lines have an extra. */
  function contextOf(prefix: readonly string[], atMs: number): Context {
    const day = world.days[dayOf(world, atMs)];
    const extra = new Map<number, number>();
    if (prefix.length === 0) return { day, last: -1, scale: 1, extra };
    const last = itemOf(prefix[prefix.length - 1]);
    const before = prefix.length > 1 ? itemOf(prefix[prefix.length - 2]) : -1;
    const categoryBefore = before < 0 ? -1 : world.categoryOfLine[world.lineOf[before]];
    const line = world.lineOf[last];
    world.successors[line].forEach((next, j) => {
      const weight = (1 - noise) * world.successorWeight(categoryBefore, line, j);
      day.lineItems[next].forEach((item, i) => {
        extra.set(item, weight * day.lineShares[next][i]);
      });
    });
    return { day, last, scale: noise / (1 - day.background[last]), extra };
  }

  function best(prefix: readonly string[], atMs: number, k: number, discount: (rank: number) => number): number {
    const { probabilities } = topOf(contextOf(prefix, atMs), k);
    let sum = 0;
    for (let r = 1; r <= probabilities.length; r++) sum += probabilities[r - 1] * discount(r);
    return sum;
  }

  return {
    distribution(prefix, atMs) {
      const context = contextOf(prefix, atMs);
      const { items, probabilities } = topOf(context, context.day.alive.length);
      return { itemIds: items.map(itemName), probabilities };
    },
    rankOfTarget: (prefix, atMs, target) => rankIn(contextOf(prefix, atMs), itemOf(target)),
    bestNdcgAtK: (prefix, atMs, k) => best(prefix, atMs, k, (rank) => 1 / Math.log2(rank + 1)),
    bestRecallAtK: (prefix, atMs, k) => best(prefix, atMs, k, () => 1),
  };
}

/**
 * Rank of the newest item of every session by true probability [S], what `rankOfTarget` gives for each.
 *
 * @param rawItemId the data set's code → raw id
 */
export function oracleRanks(oracle: ShopOracle, sessions: Sessions, rawItemId: (code: number) => string): Int32Array {
  const ranks = new Int32Array(sessions.offsets.length - 1);
  for (let s = 0; s < ranks.length; s++) {
    const last = sessions.offsets[s + 1] - 1;
    const from = Math.max(sessions.offsets[s], last - 2);
    const prefix = Array.from(sessions.itemCodes.subarray(from, last), rawItemId);
    ranks[s] = oracle.rankOfTarget(prefix, sessions.timestampsMs[last], rawItemId(sessions.itemCodes[last]));
  }
  return ranks;
}

interface Context {
  readonly day: ShopDay;
  /** The last item, which cannot come again at once; -1 at the start of a session. */
  readonly last: number;
  readonly scale: number;
  readonly extra: ReadonlyMap<number, number>;
}

function probabilityOf({ day, last, scale, extra }: Context, item: number): number {
  return item === last ? 0 : scale * day.background[item] + (extra.get(item) ?? 0);
}

function rankIn(context: Context, target: number): number {
  const { day, last, scale, extra } = context;
  const wanted = probabilityOf(context, target);
  if (!(wanted > 0)) return day.alive.length + 1;
  // Items at least as likely by their background alone; the few others are put right one by one.
  let ahead = countAtLeast(day.sortedBackground, scale, wanted);
  if (!extra.has(target)) ahead--;
  for (const item of extra.keys()) {
    if (scale * day.background[item] >= wanted) ahead--;
    if (item !== target && probabilityOf(context, item) >= wanted) ahead++;
  }
  const lastCounted =
    last >= 0 && !extra.has(last) && day.background[last] > 0 && scale * day.background[last] >= wanted;
  return 1 + ahead - (lastCounted ? 1 : 0);
}

/** How many entries of a falling list satisfy scale · entry ≥ wanted. */
function countAtLeast(falling: Float64Array, scale: number, wanted: number): number {
  let low = 0;
  let high = falling.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (scale * falling[middle] >= wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The `k` most likely items: the items with an extra merged with the most popular others. */
function topOf(context: Context, k: number): { items: number[]; probabilities: Float64Array } {
  const { day, last, extra } = context;
  const candidates = [...extra.keys()];
  for (let i = 0, others = 0; i < day.sortedItems.length && others < k; i++) {
    const item = day.sortedItems[i];
    if (item === last || extra.has(item)) continue;
    candidates.push(item);
    others++;
  }
  const probability = new Map(candidates.map((item) => [item, probabilityOf(context, item)]));
  const items = candidates.sort((a, b) => (probability.get(b) ?? 0) - (probability.get(a) ?? 0) || a - b).slice(0, k);
  return { items, probabilities: Float64Array.from(items, (item) => probability.get(item) ?? 0) };
}
