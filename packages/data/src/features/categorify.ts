import { z } from 'zod';
import { hashText } from '../random/random.ts';
import { defineFeature, outputName, parseState, textsOf } from './feature.ts';

/** 0 is a missing value, 1 one that is unknown or too rare. */
const FIRST_ID = 2;

const stateSchema = z.object({ values: z.array(z.string()), counts: z.array(z.tuple([z.string(), z.int().min(0)])) });

/**
 * Text → category id: 0 for a missing value, 1 for an unknown or rare one, then `hashBuckets` ids that unknown and rare
 * values share by their hash instead of 1, then one id per value of at least `minCount` train events. Ids, once given, stay;
 * values that become frequent in a later window get the next ones, the most frequent first.
 */
export const categorify = defineFeature({
  configSchema: z.strictObject({
    name: z.literal('categorify'),
    column: z.string().min(1).describe('Column of the log.'),
    as: outputName.optional(),
    minCount: z.int().min(1).default(1).describe('Train events that a value needs to have an id of its own.'),
    maxValues: z.int().min(1).optional().describe('At most this many values have an id of their own.'),
    hashBuckets: z
      .int()
      .min(0)
      .default(0)
      .describe('Ids that unknown and rare values share by a hash; 0: all of them share one.'),
  }),
  columns: ({ column }) => [{ name: column, kind: 'text' }],
  create({ column, as = column, minCount, maxValues = Number.POSITIVE_INFINITY, hashBuckets }) {
    let idOf = new Map<string, number>();
    let counts = new Map<string, number>();
    const firstOwn = FIRST_ID + hashBuckets;
    const otherId = (text: string) => (hashBuckets === 0 ? 1 : FIRST_ID + (hashText(text) % hashBuckets));
    return {
      outputs: () => [{ name: as, kind: 'category', numValues: firstOwn + idOf.size }],
      fit(sessions, source) {
        const text = textsOf(sessions, column, source, 'categorify');
        for (let i = 0; i < sessions.itemCodes.length; i++) {
          const value = text(i);
          if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
        }
      },
      finishFit() {
        const added = [...counts].filter(([value, count]) => count >= minCount && !idOf.has(value));
        added.sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1));
        for (const [value] of added) if (idOf.size < maxValues) idOf.set(value, firstOwn + idOf.size);
      },
      transform(sessions, source) {
        const text = textsOf(sessions, column, source, 'categorify');
        const ids = new Int32Array(sessions.itemCodes.length);
        for (let i = 0; i < ids.length; i++) {
          const value = text(i);
          if (value !== undefined) ids[i] = idOf.get(value) ?? otherId(value);
        }
        return { [as]: ids };
      },
      toJSON: () => ({ values: [...idOf.keys()], counts: [...counts] }),
      restore(state) {
        const saved = parseState(stateSchema, state, 'categorify');
        idOf = new Map(saved.values.map((value, i) => [value, firstOwn + i]));
        counts = new Map(saved.counts);
      },
    };
  },
});
