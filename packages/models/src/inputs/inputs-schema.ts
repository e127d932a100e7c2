import { z } from 'zod';
import * as aggregations from './aggregations.ts';
import type { InputKind } from './input-kind.ts';
import * as kinds from './kinds.ts';

/** One entry of `inputs.features`, checked. */
export type InputConfig = z.infer<(typeof kinds)[keyof typeof kinds]['configSchema']>;

const [first, ...others] = Object.values(kinds as unknown as Record<string, InputKind>).map(
  ({ configSchema }) => configSchema,
);
const inputSchema = z.discriminatedUnion('kind', [first, ...others] as [
  z.ZodObject<{ kind: z.ZodLiteral<string> }>,
]) as unknown as z.ZodType<InputConfig>;

export type AggregationName = keyof typeof aggregations;

/** The `inputs` of a model: what it reads beside the item ids. */
export const inputsSchema = z
  .strictObject({
    features: z.array(inputSchema).min(1).describe('Each by its kind, with its options beside it.'),
    aggregation: z
      .enum(Object.keys(aggregations) as [AggregationName, ...AggregationName[]])
      .default('concat')
      .describe('How the vector of the item and those of its features become one.'),
    layerNorm: z.boolean().default(false).describe('Normalises the vectors of every feature.'),
    swapNoise: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe("Share of feature values that training swaps with other sessions'."),
  })
  .superRefine(({ features, aggregation, layerNorm }, context) => {
    features.forEach((input, index) => {
      const path = ['features', index, 'kind'];
      const issue = (message: string) => context.addIssue({ code: 'custom', path, message });
      if (features.findIndex((other) => inputName(other) === inputName(input)) < index) {
        issue(`${inputName(input)} is there twice`);
      }
      if (input.kind !== 'scalar') return;
      if (layerNorm) issue('layerNorm makes a single number 0; choose kind: projection or softOneHot');
      else if (aggregations[aggregation].needsEqualWidths && input.role !== 'contextAfter') {
        issue(
          `a single number does not have the item's width, which aggregation: ${aggregation} needs; choose kind: projection or softOneHot`,
        );
      }
    });
  });

/** Begins the names of its weights. */
export function inputName(input: InputConfig): string {
  if (input.kind === 'timeInterval') return 'inputs.timeInterval';
  return `inputs.${input.column}.${input.kind}${input.role === 'contextAfter' ? '.after' : ''}`;
}

export type InputsConfig = z.infer<typeof inputsSchema>;
