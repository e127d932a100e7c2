import type { Dropout } from './fused-kernels.ts';

/**
 * 32-bit integer mixer "lowbias32" (Christopher Wellons, hash-prospector, public domain): a bijection whose output bits
 * each depend on every input bit.
 */
export function mix32(x: number): number {
  let h = x | 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * The 32-bit hash that decides whether dropout keeps an element. Row and column are those of the packed array, so that a
 * fused kernel can compute it anywhere, without a mask in memory, and equal the reference bit for bit.
 */
export function keepHash(seed: number, row: number, column: number): number {
  return hashInRow(rowHash(seed, row), column);
}

/** What all columns of a row share: computed once for a row, it halves the work of a mask. */
export function rowHash(seed: number, row: number): number {
  return mix32(seed ^ Math.imul(row, 0x9e3779b1));
}

/** `keepHash` of a column of that row. */
export function hashInRow(hash: number, column: number): number {
  return mix32(hash ^ Math.imul(column, 0x85ebca77));
}

/** An element is kept when its hash is at least this. */
export function keepThreshold(rate: number): number {
  return Math.floor(rate * 4294967296);
}

/** A [rows, columns] array of 0 and 1 / (1 − rate). */
export function keepMask(dropout: Dropout, rows: number, columns: number): Float32Array {
  const mask = new Float32Array(rows * columns);
  const threshold = keepThreshold(dropout.rate);
  const scale = 1 / (1 - dropout.rate);
  for (let row = 0; row < rows; row++) {
    const hash = rowHash(dropout.seed, row);
    for (let column = 0; column < columns; column++) {
      if (hashInRow(hash, column) >= threshold) mask[row * columns + column] = scale;
    }
  }
  return mask;
}

/** A new 32-bit seed from a seed and a counter, for streams that must not overlap (steps, layers, epochs). */
export function deriveSeed(seed: number, ...counters: readonly number[]): number {
  let derived = mix32(seed);
  for (const counter of counters) derived = mix32(derived ^ Math.imul(counter + 1, 0x9e3779b1));
  return derived;
}
