import { FIRST_ITEM_ID } from '@nimue/batch';
import { buildAliasTable, fillFromAliasTable } from './alias-table.ts';
import type { RandomBits } from './random-bits.ts';

/** What negatives are drawn from, with replacement. */
export interface ItemDistribution {
  /** Fills `ids` with independent draws. */
  fill(ids: Int32Array, random: RandomBits): void;
  /** Natural logarithm of an item's probability; −Infinity for what is never drawn. */
  logProbability(itemId: number): number;
}

/** Every item alike. */
export function uniformDistribution(numTableRows: number): ItemDistribution {
  const numItems = numTableRows - FIRST_ITEM_ID;
  if (numItems < 1) throw new Error(`negatives: the item table has ${numTableRows} rows and no item among them`);
  const logProbability = -Math.log(numItems);
  return {
    fill(ids, random) {
      const scale = numItems * 2 ** -32;
      for (let i = 0; i < ids.length; i++) ids[i] = FIRST_ITEM_ID + Math.floor(random.next() * scale);
    },
    logProbability: (itemId) => (itemId >= FIRST_ITEM_ID ? logProbability : Number.NEGATIVE_INFINITY),
  };
}

/** Items in proportion to count^alpha. An item that was never counted is never drawn, whatever alpha is. */
export function popularityDistribution(itemCounts: Int32Array, alpha: number): ItemDistribution {
  const weights = new Float64Array(itemCounts.length - FIRST_ITEM_ID);
  let total = 0;
  for (let i = 0; i < weights.length; i++) {
    const count = itemCounts[FIRST_ITEM_ID + i];
    if (count > 0) total += weights[i] = count ** alpha;
  }
  if (total === 0) throw new Error('negatives: itemCounts is 0 for every item; count the train windows first');
  const table = buildAliasTable(weights);
  const logs = new Float32Array(itemCounts.length).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < weights.length; i++) if (weights[i] > 0) logs[FIRST_ITEM_ID + i] = Math.log(weights[i] / total);
  return {
    fill: (ids, random) => fillFromAliasTable(table, ids, random, FIRST_ITEM_ID),
    logProbability: (itemId) => logs[itemId],
  };
}

/** @throws when there are not as many counts as rows of the item table */
export function assertCounts(sampler: string, itemCounts: Int32Array | undefined, numTableRows: number): Int32Array {
  if (!itemCounts) {
    throw new Error(
      `negatives '${sampler}': itemCounts is missing (itemHistory.counts of a loss); pass how often every item occurs in the train windows`,
    );
  }
  if (itemCounts.length !== numTableRows) {
    throw new Error(
      `negatives '${sampler}': itemCounts has ${itemCounts.length} entries, expected one for each of ${numTableRows} table rows`,
    );
  }
  return itemCounts;
}
