import { z } from 'zod';
import { createRandom } from '../random/random.ts';
import { columnOf, defineFeature, outputName, parseState } from './feature.ts';

/** Values that quantiles are computed from at most; beyond them a seeded sample. */
const MAX_SAMPLE = 1_000_000;

const stateSchema = z.object({ boundaries: z.array(z.number()).nullable() });

/**
 * The bucket of a number, as a category: 0 for a missing value, then 1 + the number of boundaries that are ≤ x. The
 * boundaries are given, or are the quantiles of the train events of the first step; they do not move afterwards, because
 * a model has learned what each bucket means.
 */
export const bucketise = defineFeature({
  configSchema: z
    .strictObject({
      name: z.literal('bucketise'),
      column: z.string().min(1).describe('Column of the log.'),
      as: outputName.optional(),
      boundaries: z.array(z.number()).min(1).optional().describe('Rising.'),
      numBuckets: z.int().min(2).optional().describe('Buckets of about the same number of train events.'),
    })
    .refine(({ boundaries, numBuckets }) => (boundaries === undefined) !== (numBuckets === undefined), {
      error: "give either 'boundaries' or 'numBuckets'",
    })
    .refine(({ boundaries = [] }) => boundaries.every((b, i) => i === 0 || b > boundaries[i - 1]), {
      path: ['boundaries'],
      error: 'expected numbers that rise',
    }),
  columns: ({ column }) => [{ name: column, kind: 'number' }],
  create({ column, as = `bucket_${column}`, boundaries: given, numBuckets = 0 }) {
    let boundaries = given;
    let sample: number[] = [];
    let numSeen = 0;
    const random = createRandom(0);
    return {
      outputs: () => [{ name: as, kind: 'category', numValues: 2 + (boundaries?.length ?? numBuckets - 1) }],
      fit(sessions) {
        if (boundaries) return;
        for (const value of columnOf(sessions, { name: column, kind: 'number' }, 'bucketise')) {
          if (!Number.isFinite(value)) continue;
          numSeen++;
          if (sample.length < MAX_SAMPLE) sample.push(value);
          else {
            const place = Math.floor(random() * numSeen);
            if (place < MAX_SAMPLE) sample[place] = value;
          }
        }
      },
      finishFit() {
        if (boundaries || sample.length === 0) return;
        const sorted = Float64Array.from(sample).sort();
        const cuts = Array.from({ length: numBuckets - 1 }, (_, i) => quantile(sorted, (i + 1) / numBuckets));
        boundaries = [...new Set(cuts)];
        sample = [];
      },
      transform(sessions) {
        const numbers = columnOf(sessions, { name: column, kind: 'number' }, 'bucketise');
        const limits = boundaries ?? [];
        return {
          [as]: Int32Array.from(numbers, (value) => (Number.isFinite(value) ? 1 + countUpTo(limits, value) : 0)),
        };
      },
      toJSON: () => ({ boundaries: boundaries ?? null }),
      restore(state) {
        boundaries = parseState(stateSchema, state, 'bucketise').boundaries ?? undefined;
      },
    };
  },
});

/** Linear between the two nearest values, as numpy's default. */
function quantile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

/** How many of the rising limits are ≤ value. */
function countUpTo(limits: readonly number[], value: number): number {
  let low = 0;
  let high = limits.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (limits[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
