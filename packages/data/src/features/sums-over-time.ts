import { z } from 'zod';

/** What `SumsOverTime` saves: key, count, sum. */
export const sumsSchema = z.array(z.tuple([z.string(), z.number(), z.number()]));

interface Entries {
  /** What a restored state knows: it lies before everything. */
  baseCount: number;
  baseSum: number;
  timesMs: number[];
  values: number[];
  /** Rising times, and the sum of the values before each; made when asked for. */
  sorted?: { timesMs: Float64Array; sumsBefore: Float64Array };
}

/**
 * Counts and sums per key of what happened strictly before an instant: what was known then. Memory is 16 bytes per event;
 * a restored state knows the totals only, which lie before everything that is asked of it.
 */
export class SumsOverTime {
  #entries = new Map<string, Entries>();

  add(key: string, timeMs: number, value: number): void {
    let own = this.#entries.get(key);
    if (!own) {
      own = { baseCount: 0, baseSum: 0, timesMs: [], values: [] };
      this.#entries.set(key, own);
    }
    own.timesMs.push(timeMs);
    own.values.push(value);
    own.sorted = undefined;
  }

  before(key: string, timeMs: number): { count: number; sum: number } {
    const own = this.#entries.get(key);
    if (!own) return { count: 0, sum: 0 };
    own.sorted ??= sorted(own);
    const { timesMs, sumsBefore } = own.sorted;
    let low = 0;
    let high = timesMs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (timesMs[middle] < timeMs) low = middle + 1;
      else high = middle;
    }
    return { count: own.baseCount + low, sum: own.baseSum + sumsBefore[low] };
  }

  toJSON(): z.output<typeof sumsSchema> {
    return [...this.#entries.keys()].map((key) => {
      const { count, sum } = this.before(key, Number.POSITIVE_INFINITY);
      return [key, count, sum];
    });
  }

  restore(totals: z.output<typeof sumsSchema>): void {
    this.#entries = new Map(
      totals.map(([key, baseCount, baseSum]) => [key, { baseCount, baseSum, timesMs: [], values: [] }]),
    );
  }
}

function sorted({ timesMs, values }: Entries): NonNullable<Entries['sorted']> {
  const order = Uint32Array.from(timesMs, (_, i) => i).sort((a, b) => timesMs[a] - timesMs[b]);
  const sumsBefore = new Float64Array(order.length + 1);
  for (let i = 0; i < order.length; i++) sumsBefore[i + 1] = sumsBefore[i] + values[order[i]];
  return { timesMs: Float64Array.from(order, (i) => timesMs[i]), sumsBefore };
}
