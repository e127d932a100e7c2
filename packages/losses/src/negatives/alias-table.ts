import type { RandomBits } from './random-bits.ts';

/**
 * Draws indices in proportion to their weights, one look-up a draw (Walker 1977, built as in Vose 1991). Column c keeps a
 * draw with probability `keep[c]` / 2³² and passes it on to `alias[c]` otherwise.
 */
export interface AliasTable {
  readonly keep: Float64Array;
  readonly alias: Int32Array;
}

/**
 * @param weights at least one of them above 0, none negative
 * @throws when a weight is negative or not finite, or all are 0
 */
export function buildAliasTable(weights: ArrayLike<number>): AliasTable {
  const count = weights.length;
  let total = 0;
  for (let i = 0; i < count; i++) {
    if (!(weights[i] >= 0 && weights[i] < Number.POSITIVE_INFINITY)) {
      throw new Error(`buildAliasTable: weights[${i}] is ${weights[i]}, expected a finite number ≥ 0`);
    }
    total += weights[i];
  }
  if (!(total > 0)) throw new Error('buildAliasTable: every weight is 0, expected at least one above');
  const share = Float64Array.from({ length: count }, (_, i) => (weights[i] * count) / total);
  const keep = new Float64Array(count).fill(2 ** 32);
  const alias = Int32Array.from({ length: count }, (_, i) => i);
  const small: number[] = [];
  const large: number[] = [];
  for (let i = 0; i < count; i++) (share[i] < 1 ? small : large).push(i);
  while (small.length > 0 && large.length > 0) {
    const less = small.pop() as number;
    const more = large[large.length - 1];
    keep[less] = share[less] * 2 ** 32;
    alias[less] = more;
    share[more] -= 1 - share[less];
    if (share[more] < 1) small.push(large.pop() as number);
  }
  // What rounding leaves over has a share of 1, except that an index of weight 0 must never come up.
  const likely = heaviest(weights);
  for (const i of small) {
    if (weights[i] > 0) continue;
    keep[i] = 0;
    alias[i] = likely;
  }
  return { keep, alias };
}

/** Fills `ids` with draws, `firstId` added to each. */
export function fillFromAliasTable({ keep, alias }: AliasTable, ids: Int32Array, random: RandomBits, firstId: number) {
  const scale = keep.length * 2 ** -32;
  for (let i = 0; i < ids.length; i++) {
    const column = Math.floor(random.next() * scale);
    ids[i] = firstId + (random.next() < keep[column] ? column : alias[column]);
  }
}

function heaviest(weights: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < weights.length; i++) if (weights[i] > weights[best]) best = i;
  return best;
}
