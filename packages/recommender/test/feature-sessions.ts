import { featuresSchema } from '@nimue/data';
import type { Cell } from '../src/index.ts';

interface FeatureSession {
  readonly items: readonly string[];
  readonly timestampsMs: readonly number[];
  readonly columns: { readonly [name in 'brand' | 'price' | 'device']: readonly Cell[] };
}

/** Three days; every day has an item, a brand and a device that the one before has not, and some values are missing. */
export const FEATURE_SESSIONS: readonly FeatureSession[] = Array.from({ length: 60 }, (_, s) => {
  const day = s % 3;
  const numbers = Array.from({ length: 2 + (s % 4) }, (_, i) => (s + i * i) % (8 + day));
  const startMs = Date.UTC(2024, 0, 1 + day, 5) + s * 100_000;
  return {
    items: numbers.map((n) => `i${n}`),
    timestampsMs: numbers.map((_, i) => startMs + i * i * 40_000 * (1 + (s % 5))),
    columns: {
      brand: numbers.map((n) => (n === 5 ? null : `b${n % 3}${n > 8 ? ' neu\u00df' : ''}`)),
      price: numbers.map((n, i) => (i === 2 ? null : 10 + n)),
      device: numbers.map(() => ['phone', 'desk', 'tv'][(s + day) % (2 + (day === 2 ? 1 : 0))]),
    },
  };
});

/** The sessions of the day that is evaluated, without what came next. */
export const FEATURE_QUESTIONS: readonly FeatureSession[] = FEATURE_SESSIONS.filter((_, s) => s % 3 === 2).map(
  ({ items, timestampsMs, columns }) => ({
    items: items.slice(0, -1),
    timestampsMs: timestampsMs.slice(0, -1),
    columns: {
      brand: columns.brand.slice(0, -1),
      price: columns.price.slice(0, -1),
      device: columns.device.slice(0, -1),
    },
  }),
);

/** Every feature that there is. @param vectorsFile has vectors of two numbers */
export function everyFeature(vectorsFile: string) {
  return featuresSchema.parse([
    { name: 'categorify', column: 'brand' },
    { name: 'categorify', column: 'brand', as: 'hashed', minCount: 8, hashBuckets: 5 },
    { name: 'categorify', column: 'device' },
    { name: 'bucketise', column: 'price', as: 'bucket', numBuckets: 4 },
    { name: 'log', column: 'price', as: 'logPrice', missing: 3 },
    { name: 'minMax', column: 'price', as: 'scaled' },
    { name: 'standardise', column: 'price', as: 'price', indicator: true, log: true },
    { name: 'relativePrice', column: 'price', category: 'brand', as: 'relative' },
    { name: 'targetStatistic', column: 'brand', target: 'price', as: 'usual' },
    { name: 'cyclicTime', of: 'hour', timeZone: 'America/Sao_Paulo' },
    { name: 'cyclicTime', of: 'weekday' },
    { name: 'cyclicTime', of: 'month' },
    { name: 'elapsed', maxSeconds: 200 },
    { name: 'itemRecency' },
    { name: 'popularitySoFar' },
    { name: 'pretrainedVectors', file: vectorsFile, as: 'vector', missing: 'mean' },
  ]);
}

/** The file of vectors for `everyFeature`; i4 has none. */
export const VECTORS_CSV = `item_id,x,y\n${[0, 1, 2, 3, 5, 6, 7].map((n) => `i${n},${n / 10},${1 - n / 7}`).join('\n')}\n`;

/** What reads all of them. */
export const EVERY_INPUT = {
  features: [
    { kind: 'category', column: 'brand', role: 'item' },
    { kind: 'category', column: 'hashed' },
    { kind: 'category', column: 'bucket' },
    { kind: 'category', column: 'device', role: 'contextBefore' },
    ...[
      ...['logPrice', 'scaled', 'price', 'price_missing', 'relative', 'usual', 'hour_sin', 'hour_cos', 'weekday_sin'],
      ...['weekday_cos', 'month_sin', 'elapsed', 'itemRecency', 'popularity'],
    ].map((column) => ({ kind: 'projection', column })),
    { kind: 'vector', column: 'vector' },
    { kind: 'timeInterval', numBuckets: 8 },
  ],
};
