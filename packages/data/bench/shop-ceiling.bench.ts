// How near to the oracle of the generated shop a model can come: whoever knows the probabilities of the day before exactly, and nothing
// of the items that came in the morning. Day by day: the oracle's ndcg@20 on the last item of all sessions, theirs, and their share.
//
//   node --conditions=@nimue/source --import ../backend-native/bench/register-ts.mjs bench/shop-ceiling.bench.ts [sessions per day]
import { generateShop } from '../src/generated/generate-shop.ts';
import { shopOracle } from '../src/generated/shop-oracle.ts';
import { parseShopOptions } from '../src/generated/shop-schema.ts';
import { createShopWorld, itemName } from '../src/generated/shop-world.ts';

const K = 20;
// The shop of quickstart.yaml, with as many sessions a day as generated-shop.yaml unless told otherwise.
const options = parseShopOptions({
  days: 6,
  sessionsPerDay: Number(process.argv[2] ?? 40_000),
  numItems: 300,
  numCategories: 6,
  linesPerCategory: 4,
  newItemsPerDay: 3,
  drift: 0.1,
});
const world = createShopWorld(options);
const oracle = shopOracle(options);
const numLines = world.successors.length;
const known = new Set<string>();
const numberOf = (itemId: string) => Number(itemId.slice(itemName(0).length - 1));

/** Probabilities of yesterday after these items, the last ones of the session [items of the world]. */
function guess(day: number, prefix: readonly string[]): Float64Array {
  const { background, lineItems, lineShares } = world.days[day];
  const { noise } = options;
  const probabilities = background.map((share) => noise * share);
  const follow = (line: number, categoryBefore: number, weight: number) => {
    world.successors[line].forEach((next, j) => {
      const all = weight * (1 - noise) * world.successorWeight(categoryBefore, line, j);
      lineItems[next].forEach((item, i) => {
        probabilities[item] += all * lineShares[next][i];
      });
    });
  };
  /** Line of the n-th item from the end; nothing where it is unknown or there is none. */
  const lineOf = (n: number) => {
    const itemId = prefix.at(-n);
    return itemId !== undefined && known.has(itemId) ? world.lineOf[numberOf(itemId)] : undefined;
  };
  const categoryOf = (n: number) => {
    const line = lineOf(n);
    return line === undefined ? -1 : world.categoryOfLine[line];
  };
  const [last, before] = [lineOf(1), lineOf(2)];
  if (last !== undefined && (before !== undefined || prefix.length < 2)) follow(last, categoryOf(2), 1);
  else if (last !== undefined) {
    // The item before is a new one, of any category.
    for (let c = 0; c < options.numCategories; c++) follow(last, c, 1 / options.numCategories);
  } else if (before !== undefined) {
    // The last one is new: it is of a line that follows that of the item before it.
    world.successors[before].forEach((line, j) => {
      follow(line, categoryOf(2), world.successorWeight(categoryOf(3), before, j));
    });
  } else for (let line = 0; line < numLines; line++) follow(line, -1, 1 / numLines);
  probabilities[numberOf(prefix[prefix.length - 1])] = 0;
  return probabilities;
}

const gainOf = (rank: number) => (rank <= K ? 1 / Math.log2(rank + 1) : 0);
let [day, best, reachable] = [0, 0, 0];
for (const { itemIds, sessionIds, timestampsMs } of generateShop(options)) {
  const sessions = new Map<string, string[]>();
  sessionIds.forEach((id, e) => {
    const items = sessions.get(id);
    if (items) items.push(itemIds[e]);
    else sessions.set(id, [itemIds[e]]);
  });
  if (day > 0) {
    let [ofOracle, ofGuess, numTargets] = [0, 0, 0];
    for (const items of sessions.values()) {
      if (items.length < 2) continue;
      numTargets++;
      const target = items[items.length - 1];
      ofOracle += gainOf(oracle.rankOfTarget(items.slice(-3, -1), timestampsMs[0], target));
      if (!known.has(target)) continue;
      const probabilities = guess(day - 1, items.slice(-4, -1));
      const wanted = probabilities[numberOf(target)];
      if (wanted > 0) ofGuess += gainOf(probabilities.filter((p) => p >= wanted).length);
    }
    const share = (100 * ofGuess) / ofOracle;
    console.log(
      `day ${day}: oracle ${(ofOracle / numTargets).toFixed(4)}, reachable ${(ofGuess / numTargets).toFixed(4)}, ${share.toFixed(1)} %`,
    );
    best += ofOracle / numTargets;
    reachable += ofGuess / numTargets;
  }
  for (const itemId of itemIds) known.add(itemId);
  day++;
}
const numDays = day - 1;
console.log(
  `mean: oracle ${(best / numDays).toFixed(4)}, reachable ${(reachable / numDays).toFixed(4)}, ${((100 * reachable) / best).toFixed(1)} %`,
);
