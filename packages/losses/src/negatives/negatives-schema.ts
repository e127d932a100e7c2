import { z } from 'zod';
import type { NegativeSampler, NegativeSamplerSpec } from './negative-sampler.ts';
import * as negativeSamplers from './negative-samplers.ts';

type SamplerSpecs = typeof negativeSamplers;

/** Options of a sampler, told apart by `name`. */
export type NegativesConfig = {
  [Name in keyof SamplerSpecs]: z.output<SamplerSpecs[Name]['configSchema']>;
}[keyof SamplerSpecs];

const schemas = Object.values(negativeSamplers).map(({ configSchema }) => configSchema);

/** The `negatives` option of a loss. */
export const negativesSchema = z.discriminatedUnion(
  'name',
  schemas as unknown as [z.ZodObject<{ name: z.ZodLiteral<string> }>],
) as unknown as z.ZodType<NegativesConfig, Readonly<Record<string, unknown>>>;

export function createSampler(config: NegativesConfig): NegativeSampler {
  const specs: Readonly<Record<string, unknown>> = negativeSamplers;
  return (specs[config.name] as NegativeSamplerSpec).create(config);
}
