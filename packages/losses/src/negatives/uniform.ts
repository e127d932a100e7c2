import { z } from 'zod';
import { drawFields, drawFrom } from './draw-from.ts';
import { uniformDistribution } from './item-distribution.ts';
import { defineNegatives } from './negative-sampler.ts';

/** Negatives among all items alike. */
export const uniform = defineNegatives({
  configSchema: z.strictObject({ name: z.literal('uniform'), ...drawFields }),
  create: (options) => (request) => drawFrom(uniformDistribution(request.numTableRows), request, options),
});
