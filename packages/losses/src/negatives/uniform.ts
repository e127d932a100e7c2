import { FIRST_ITEM_ID } from '@nimue/batch';
import { z } from 'zod';
import { drawFields, drawFrom } from './draw-from.ts';
import { uniformDistribution } from './item-distribution.ts';
import { defineNegatives, type NegativesRequest } from './negative-sampler.ts';
import { RandomBits } from './random-bits.ts';
import { sessionItems } from './session-marks.ts';

/** Negatives among all items alike. */
export const uniform = defineNegatives({
  configSchema: z
    .strictObject({
      name: z.literal('uniform'),
      ...drawFields,
      repeats: z
        .boolean()
        .default(true)
        .describe(
          '`false`, for `per: batch`: every item is drawn at most once, and a `count` beyond the catalogue takes all of it. 3,000 draws among 3,416 items with repeats meet 2,000 of them.',
        ),
    })
    .superRefine(({ per, repeats }, context) => {
      if (repeats || per === 'batch') return;
      const message = 'the lists of single positions are drawn with repeats; expected true, or per: batch';
      context.addIssue({ code: 'custom', path: ['repeats'], message });
    }),
  create: ({ repeats, ...options }) => {
    if (repeats) return (request) => drawFrom(uniformDistribution(request.numTableRows), request, options);
    return (request) => {
      const { logProbability } = uniformDistribution(request.numTableRows);
      const shared = distinctItems(options.count, request);
      return {
        negatives: { shared, ...(options.excludeSession && { excluded: sessionItems(request) }) },
        numNegatives: shared.length,
        logExpectedCount: (itemId) => Math.log(shared.length) + logProbability(itemId),
      };
    };
  },
});

/** A set of K different items, every set as likely as any other, in K steps (Bentley & Floyd 1987, "A sample of brilliance"). */
function distinctItems(count: number, { seed, numTableRows }: NegativesRequest): Int32Array {
  const numItems = numTableRows - FIRST_ITEM_ID;
  const random = new RandomBits(seed);
  const drawn = new Set<number>();
  for (let last = Math.max(0, numItems - count); last < numItems; last++) {
    const place = random.below(last + 1);
    drawn.add(FIRST_ITEM_ID + (drawn.has(FIRST_ITEM_ID + place) ? last : place));
  }
  return Int32Array.from(drawn);
}
