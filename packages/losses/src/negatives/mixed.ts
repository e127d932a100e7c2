import { deriveSeed } from '@nimue/ops';
import { z } from 'zod';
import { inBatch } from './in-batch.ts';
import { type DrawnNegatives, defineNegatives } from './negative-sampler.ts';
import { popularity } from './popularity.ts';
import { uniform } from './uniform.ts';

const partSchema = z.discriminatedUnion('name', [uniform.configSchema, popularity.configSchema, inBatch.configSchema]);

function createPart(config: z.output<typeof partSchema>) {
  switch (config.name) {
    case 'uniform':
      return uniform.create(config);
    case 'popularity':
      return popularity.create(config);
    case 'inBatch':
      return inBatch.create(config);
  }
}

/**
 * Negatives of several samplers together (Yang et al. 2020, mixed negative sampling; GRU4Rec: in-batch ones and samples
 * beside). What is expected of an item is the sum over the parts.
 */
export const mixed = defineNegatives({
  configSchema: z
    .strictObject({
      name: z.literal('mixed'),
      parts: z.array(partSchema).min(2).describe('Samplers whose negatives are put together.'),
    })
    .superRefine(({ parts }, context) => {
      const isShared = (part: (typeof parts)[number]) => part.name === 'inBatch' || part.per === 'batch';
      const unlike = parts.findIndex(({ excludeSession }) => excludeSession !== parts[0].excludeSession);
      if (unlike >= 0) {
        const message = 'parts leave the session out all alike: excludeSession in each of them or in none';
        context.addIssue({ code: 'custom', path: ['parts', unlike], message });
      }
      const odd = parts.findIndex((part) => isShared(part) !== isShared(parts[0]));
      if (odd < 0) return;
      context.addIssue({
        code: 'custom',
        path: ['parts', odd],
        message: 'parts are all per: batch (as inBatch is) or all per: position, got both',
      });
    }),
  create({ parts }) {
    const samplers = parts.map(createPart);
    return (request) => {
      const drawn = samplers.map((sample, i) => sample({ ...request, seed: deriveSeed(request.seed, i) }));
      return {
        negatives: joined(drawn, request.targetIds.length),
        numNegatives: drawn.reduce((sum, { numNegatives }) => sum + numNegatives, 0),
        logExpectedCount(itemId, row) {
          let expected = 0;
          for (const { logExpectedCount } of drawn) expected += Math.exp(logExpectedCount?.(itemId, row) ?? Number.NaN);
          return Math.log(expected);
        },
      };
    };
  },
});

function joined(drawn: readonly DrawnNegatives[], numRows: number): DrawnNegatives['negatives'] {
  const lists = drawn.map(({ negatives }) => ('shared' in negatives ? negatives.shared : negatives.own));
  const isShared = 'shared' in drawn[0].negatives;
  const all = new Int32Array(lists.reduce((sum, { length }) => sum + length, 0));
  let next = 0;
  for (let n = 0; n < (isShared ? 1 : numRows); n++) {
    for (const [i, list] of lists.entries()) {
      const count = drawn[i].numNegatives;
      all.set(list.subarray(n * count, (n + 1) * count), next);
      next += count;
    }
  }
  if (!isShared) return { own: all };
  const [{ negatives: first }] = drawn;
  return { shared: all, ...('excluded' in first && { excluded: first.excluded }) };
}
