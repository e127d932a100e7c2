import { deriveSeed } from '@nimue/ops';
import type { Scalar } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { defineLoss, type Loss, type LossInputs, type LossSpec } from './loss-spec.ts';
import * as losses from './losses.ts';

/** A loss by name, its options beside it, and its weight. */
export type WeightedPart = { readonly name: string; readonly weight: number } & Readonly<Record<string, unknown>>;

/** The list is complete only when every file of it has been read, this one included. */
const specs = (): Readonly<Record<string, LossSpec<z.ZodObject>>> =>
  Object.fromEntries(
    Object.entries(losses as Readonly<Record<string, unknown>>).filter(([name]) => name !== 'weightedSum'),
  ) as Record<string, LossSpec<z.ZodObject>>;

const partSchema: z.ZodType<WeightedPart> = z.lazy(() => {
  const options = Object.entries(specs()).map(([name, { configSchema }]) =>
    z
      .strictObject({
        name: z.literal(name),
        weight: z.number().positive().default(1).describe("The part's share in the sum."),
        ...configSchema.shape,
      })
      .superRefine(({ name: _name, weight: _weight, ...config }, context) => {
        // The shape alone does not carry the checks between options.
        for (const issue of configSchema.safeParse(config).error?.issues ?? []) {
          context.addIssue({ ...issue, code: 'custom' });
        }
      }),
  );
  return z.discriminatedUnion('name', options as unknown as [z.ZodObject<{ name: z.ZodLiteral<string> }>]);
}) as unknown as z.ZodType<WeightedPart>;

/**
 * Several losses on the same targets: Σᵢ weightᵢ · lossᵢ. Every part draws negatives of its own. With the parts `binary` and
 * `regression` the model learns several tasks at once, one of which must be to rank items.
 *
 * @throws when a part's name is not in the list
 */
export const weightedSum: LossSpec<z.ZodObject<{ parts: z.ZodArray<typeof partSchema> }, z.core.$strict>> = defineLoss({
  configSchema: z
    .strictObject({ parts: z.array(partSchema).min(1).describe('Losses and their weights.') })
    .superRefine(({ parts }, context) => {
      const refuse = (path: (string | number)[], message: string) =>
        context.addIssue({ code: 'custom', path, message });
      if (parts.every(({ name }) => specs()[name].ranksItems === false)) {
        refuse(
          ['parts'],
          'none of them teaches the model which item comes next; add one that does, such as crossEntropy',
        );
      }
      const names = parts.map(({ name, weight: _, ...config }) => specs()[name].create(config).heads?.[0]?.name);
      names.forEach((name, i) => {
        if (name === undefined || names.indexOf(name) === i) return;
        refuse(['parts', i], `the head '${name}' is there already; name one of them with 'as'`);
      });
    }),
  create({ parts }) {
    const made = parts.map(({ name, weight, ...config }) => ({ weight, loss: specs()[name].create(config) }));
    return sumOf(made);
  },
});

/** Σᵢ weightᵢ · lossᵢ, for losses made by hand. */
export function sumOf(parts: readonly { readonly weight: number; readonly loss: Loss }[]): Loss {
  const sum = (inputs: LossInputs) =>
    parts
      .map(({ weight, loss }, i) => {
        const { seed } = inputs;
        const value = loss({ ...inputs, seed: seed === undefined ? undefined : deriveSeed(seed, i) });
        return weight === 1 ? value : tf.mul(value, weight);
      })
      .reduce((total, value) => tf.add(total, value)) as Scalar;
  const heads = parts.flatMap((part) => part.loss.heads ?? []);
  return heads.length === 0 ? sum : Object.assign(sum, { heads });
}
