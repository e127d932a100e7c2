import { createRandom, hashNumbers, type Random } from '../random/random.ts';
import { DAY_MS, HOUR_MS } from '../windows/calendar.ts';
import { parseShopOptions, type ShopInput } from './shop-schema.ts';
import { createShopWorld, itemName, type ShopDay, type ShopWorld } from './shop-world.ts';

/** One day of the generated log as columns, in time order. */
export interface ShopEvents {
  readonly sessionIds: readonly string[];
  /** Whole milliseconds since 1970 UTC. */
  readonly timestampsMs: Float64Array;
  readonly itemIds: readonly string[];
  readonly categories: readonly string[];
  readonly prices: Float64Array;
}

/** Relative number of sessions that start in each hour: quiet nights, a busy evening. */
const SESSIONS_PER_HOUR = [2, 1, 1, 1, 1, 2, 4, 6, 8, 9, 9, 10, 11, 10, 9, 9, 9, 10, 12, 14, 15, 14, 9, 4];

/**
 * Generates a shop's event log day by day. No session runs over midnight, none clicks the same item twice in a row.
 *
 * @throws when an option is out of range
 *
 * @example
 * for (const day of generateShop({ days: 2, sessionsPerDay: 100, seed: 7 })) console.log(day.itemIds.length);
 */
export function* generateShop(input: ShopInput = {}): Generator<ShopEvents> {
  const world = createShopWorld(parseShopOptions(input));
  for (let day = 0; day < world.days.length; day++) yield generateDay(world, day);
}

interface Click {
  readonly session: number;
  readonly timeMs: number;
  readonly item: number;
}

function generateDay(world: ShopWorld, day: number): ShopEvents {
  const { options } = world;
  const random = createRandom(hashNumbers(options.seed, 4, day));
  const draw = createSampler(world, world.days[day], random);
  const startHour = cumulate(SESSIONS_PER_HOUR);
  const dayStartMs = world.firstDayMs + day * DAY_MS;
  const clicks: Click[] = [];
  for (let session = 0; session < options.sessionsPerDay; session++) {
    const length = drawLength(options.meanLength, random);
    let timeMs = Math.floor((drawIndex(startHour, random) + random()) * HOUR_MS);
    const times = [timeMs];
    while (times.length < length) {
      timeMs += 1000 + Math.floor(-45_000 * Math.log(1 - random()));
      times.push(timeMs);
    }
    const late = Math.max(0, timeMs - (DAY_MS - 1));
    let before = -1;
    let last = -1;
    for (const time of times) {
      const item = draw(before, last);
      clicks.push({ session, timeMs: dayStartMs + Math.max(0, time - late), item });
      before = last;
      last = item;
    }
  }
  clicks.sort((a, b) => a.timeMs - b.timeMs);
  return {
    sessionIds: clicks.map(({ session }) => `day${day}-session${session}`),
    timestampsMs: Float64Array.from(clicks, ({ timeMs }) => timeMs),
    itemIds: clicks.map(({ item }) => itemName(item)),
    categories: clicks.map(({ item }) => `category-${world.categoryOfLine[world.lineOf[item]]}`),
    prices: Float64Array.from(clicks, ({ item }) => world.prices[item]),
  };
}

/** Draws the next item after `before`, `last` (-1: none) from the probabilities that `ShopWorld` states. */
function createSampler(world: ShopWorld, day: ShopDay, random: Random): (before: number, last: number) => number {
  const background = cumulate(day.sortedBackground);
  const lines = day.lineShares.map(cumulate);
  const weights = new Float64Array(world.successors[0].length);
  return (before, last) => {
    if (last < 0) return day.sortedItems[drawIndex(background, random)];
    if (random() < world.options.noise) {
      // Drawing again until another item comes is drawing from background(i) / (1 - background(last)).
      for (;;) {
        const item = day.sortedItems[drawIndex(background, random)];
        if (item !== last) return item;
      }
    }
    const line = world.lineOf[last];
    const categoryBefore = before < 0 ? -1 : world.categoryOfLine[world.lineOf[before]];
    for (let j = 0; j < weights.length; j++) weights[j] = world.successorWeight(categoryBefore, line, j);
    const next = world.successors[line][drawIndex(cumulate(weights), random)];
    return day.lineItems[next][drawIndex(lines[next], random)];
  };
}

/** 2 plus a geometric number: mean `meanLength`. */
function drawLength(meanLength: number, random: Random): number {
  const more = meanLength - 2;
  if (more === 0) return 2;
  return 2 + Math.min(1000, Math.floor(Math.log(1 - random()) / Math.log(more / (more + 1))));
}

function cumulate(weights: ArrayLike<number>): Float64Array {
  const sums = new Float64Array(weights.length);
  for (let i = 0, sum = 0; i < sums.length; i++) {
    sum += weights[i];
    sums[i] = sum;
  }
  return sums;
}

/** An index drawn in proportion to the weights behind the sums. */
function drawIndex(sums: Float64Array, random: Random): number {
  const wanted = random() * sums[sums.length - 1];
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle] > wanted) high = middle;
    else low = middle + 1;
  }
  return low;
}
