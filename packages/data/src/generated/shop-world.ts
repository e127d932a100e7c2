import { createRandom, hashNumbers, type Random, sampleNormal, shuffledOrder } from '../random/random.ts';
import { DAY_MS } from '../windows/calendar.ts';
import type { ShopOptions } from './shop-schema.ts';

/** How likely the first, second and third choice of the following product line is. */
export const SUCCESSOR_WEIGHTS = [0.75, 0.17, 0.08] as const;

/** What is on sale on one day. Indices are item numbers of the world. */
export interface ShopDay {
  /** Items on sale. */
  readonly alive: Int32Array;
  /** Share of each item in clicks that follow nothing [items of the world]; 0 when it is not on sale. Adds up to 1. */
  readonly background: Float64Array;
  /** `background` of the items on sale, largest first. */
  readonly sortedBackground: Float64Array;
  /** The items on sale in the same order. */
  readonly sortedItems: Int32Array;
  /** Items on sale per product line, and their shares within it (each list adds up to 1). */
  readonly lineItems: readonly Int32Array[];
  readonly lineShares: readonly Float64Array[];
}

/**
 * The shop behind a generated log. Its next-item probabilities depend on the day, the last item and the category of the
 * item before it, and on nothing else:
 *
 *   p(i | a, b) = noise · background(i) / (1 - background(b)) + (1 - noise) · Σ_j w_j(category(a), line(b)) · share(i | line_j(b))
 *
 * for i ≠ b, where line_1 … line_3 are the three product lines that can follow the line of b.
 */
export interface ShopWorld {
  readonly options: ShopOptions;
  readonly firstDayMs: number;
  readonly numItems: number;
  /** Product line of every item, and category of every line. */
  readonly lineOf: Int32Array;
  readonly categoryOfLine: Int32Array;
  readonly prices: Float64Array;
  /** Three following lines of every line. */
  readonly successors: readonly Int32Array[];
  readonly days: readonly ShopDay[];
  /** Which of the three weights goes to successor `j`; `categoryBefore` is -1 at the second click. */
  successorWeight(categoryBefore: number, line: number, j: number): number;
}

export function itemName(item: number): string {
  return `item-${item}`;
}

/** Builds the shop of these options; the same options give the same shop. */
export function createShopWorld(options: ShopOptions): ShopWorld {
  const { seed, numCategories, linesPerCategory, days, newItemsPerDay } = options;
  const numLines = numCategories * linesPerCategory;
  const numItems = options.numItems + newItemsPerDay * (days - 1);
  const random = createRandom(hashNumbers(seed, 1));

  const categoryOfLine = new Int32Array(numLines).map((_, line) => Math.floor(line / linesPerCategory));
  const lineOf = new Int32Array(numItems).map((_, item) =>
    item < numLines * 2 ? item % numLines : Math.floor(random() * numLines),
  );
  const categoryPrice = new Float64Array(numCategories).map(() => 10 * Math.exp(sampleNormal(random)));
  const prices = new Float64Array(numItems);
  for (let item = 0; item < numItems; item++) {
    const price = categoryPrice[categoryOfLine[lineOf[item]]] * Math.exp(0.4 * sampleNormal(random));
    prices[item] = Math.max(0.01, Math.round(price * 100) / 100);
  }
  const { birth, death } = lifeSpans(options, numItems, lineOf, numLines, random);
  return {
    options,
    firstDayMs: Date.parse(`${options.startDate}T00:00:00Z`),
    numItems,
    lineOf,
    categoryOfLine,
    prices,
    successors: drawSuccessors(numLines, random),
    days: createDays(options, lineOf, categoryOfLine, birth, death),
    successorWeight(categoryBefore, line, j) {
      const turn = hashNumbers(seed, 2, categoryBefore + 1, line) % SUCCESSOR_WEIGHTS.length;
      return SUCCESSOR_WEIGHTS[(j + turn) % SUCCESSOR_WEIGHTS.length];
    },
  };
}

/** Number of the day that holds an instant. @throws when it lies outside the generated days */
export function dayOf(world: ShopWorld, instantMs: number): number {
  const day = Math.floor((instantMs - world.firstDayMs) / DAY_MS);
  if (world.days[day]) return day;
  throw new Error(
    `shop: ${new Date(instantMs).toISOString()} is not one of the ${world.days.length} days from ${world.options.startDate}`,
  );
}

function drawSuccessors(numLines: number, random: Random): Int32Array[] {
  // Every line follows exactly three others: three permutations without fixed points or repeats, so no line dies out.
  const successors = Array.from({ length: numLines }, () => new Int32Array(SUCCESSOR_WEIGHTS.length));
  const order = shuffledOrder(numLines, random);
  const shifts = shuffledOrder(numLines - 1, random).subarray(0, SUCCESSOR_WEIGHTS.length);
  for (let place = 0; place < numLines; place++) {
    shifts.forEach((shift, j) => {
      successors[order[place]][j] = order[(place + shift + 1) % numLines];
    });
  }
  return successors;
}

function lifeSpans(options: ShopOptions, numItems: number, lineOf: Int32Array, numLines: number, random: Random) {
  const birth = new Int32Array(numItems).fill(-1000);
  const death = new Int32Array(numItems).fill(options.days);
  const alivePerLine = new Int32Array(numLines);
  for (let item = 0; item < options.numItems; item++) alivePerLine[lineOf[item]]++;
  for (let day = 1; day < options.days; day++) {
    const firstNew = options.numItems + (day - 1) * options.newItemsPerDay;
    for (let item = firstNew; item < firstNew + options.newItemsPerDay; item++) {
      birth[item] = day;
      alivePerLine[lineOf[item]]++;
    }
    let toRetire = options.newItemsPerDay;
    for (const item of shuffledOrder(firstNew, random)) {
      if (toRetire === 0) break;
      if (death[item] < options.days || alivePerLine[lineOf[item]] <= 2) continue;
      death[item] = day;
      alivePerLine[lineOf[item]]--;
      toRetire--;
    }
  }
  return { birth, death };
}

function createDays(
  options: ShopOptions,
  lineOf: Int32Array,
  categoryOfLine: Int32Array,
  birth: Int32Array,
  death: Int32Array,
): ShopDay[] {
  const random = createRandom(hashNumbers(options.seed, 3));
  const numItems = lineOf.length;
  const numLines = categoryOfLine.length;
  const logWeight = new Float64Array(numItems).map(() => 1.1 * sampleNormal(random));
  const logCategory = new Float64Array(options.numCategories).map(() => 0.5 * sampleNormal(random));
  const days: ShopDay[] = [];
  for (let day = 0; day < options.days; day++) {
    if (day > 0) {
      for (let item = 0; item < numItems; item++) logWeight[item] += options.drift * sampleNormal(random);
      for (let category = 0; category < logCategory.length; category++)
        logCategory[category] += options.drift * sampleNormal(random);
    }
    const members: number[][] = Array.from({ length: numLines }, () => []);
    const weight = new Float64Array(numItems);
    const background = new Float64Array(numItems);
    const alive: number[] = [];
    let total = 0;
    for (let item = 0; item < numItems; item++) {
      if (day < birth[item] || day >= death[item]) continue;
      const novelty = 1 + 2 * Math.exp(-(day - birth[item]) / 2);
      weight[item] = Math.exp(logWeight[item]) * novelty;
      background[item] = weight[item] * Math.exp(logCategory[categoryOfLine[lineOf[item]]]);
      total += background[item];
      alive.push(item);
      members[lineOf[item]].push(item);
    }
    for (const item of alive) background[item] /= total;
    const sortedItems = Int32Array.from(alive).sort((a, b) => background[b] - background[a] || a - b);
    days.push({
      alive: Int32Array.from(alive),
      background,
      sortedItems,
      sortedBackground: Float64Array.from(sortedItems, (item) => background[item]),
      lineItems: members.map((items) => Int32Array.from(items)),
      lineShares: members.map((items) => {
        const sum = items.reduce((all, item) => all + weight[item], 0);
        return Float64Array.from(items, (item) => weight[item] / sum);
      }),
    });
  }
  return days;
}
