import type { SweepConfig } from './sweep-schema.ts';

/** One variation: path → value. */
export type Cell = Readonly<Record<string, unknown>>;

type Choices = Readonly<Record<string, readonly unknown[]>>;

/** The variations in order: every combination, the list, or the draws of a seed. */
export function planCells(sweep: SweepConfig): Cell[] {
  if (sweep.strategy === 'list') return [...sweep.cells];
  if (sweep.strategy === 'grid') return combinations(sweep.values);
  const random = createRandom(sweep.seed);
  return Array.from({ length: sweep.numCells }, () =>
    Object.fromEntries(
      Object.entries(sweep.values).map(([path, values]) => {
        const u = random();
        if (Array.isArray(values)) return [path, values[Math.floor(u * values.length)] as unknown];
        const { min, max, scale, whole } = values as { min: number; max: number; scale: string; whole: boolean };
        const drawn = scale === 'log' ? min * (max / min) ** u : min + (max - min) * u;
        return [path, whole ? Math.round(drawn) : Number(drawn.toPrecision(4))];
      }),
    ),
  );
}

/** Budgets of the rungs of successive halving: `min, min · factor, …, max`. */
export function rungBudgets({ minBudget, maxBudget, factor }: Extract<SweepConfig, { strategy: 'halving' }>): number[] {
  const budgets: number[] = [];
  for (let budget = minBudget; budget < maxBudget; budget *= factor) budgets.push(budget);
  return [...budgets, maxBudget];
}

/** @example combinations({ a: [1, 2], b: [3] }) // → [{ a: 1, b: 3 }, { a: 2, b: 3 }] */
export function combinations(values: Choices): Cell[] {
  return Object.entries(values).reduce<Cell[]>(
    (cells, [path, choices]) => cells.flatMap((cell) => choices.map((choice) => ({ ...cell, [path]: choice }))),
    [{}],
  );
}

/** Numbers in [0, 1) from a seed (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
