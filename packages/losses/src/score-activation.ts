import { z } from 'zod';

/** What scores pass through before a pairwise loss sees them: GRU4Rec's `final_act`. Both keep the order of the items. */
const scoreActivation = {
  elu: z
    .number()
    .min(0)
    .default(0)
    .describe('α of the exponential linear unit that scores pass through first, the `elu-α` of GRU4Rec; 0: none.'),
  tanh: z
    .boolean()
    .default(false)
    .describe(
      "Scores pass through tanh first, GRU4Rec's `tanh`; without `elu`. Its slope fades where scores are large.",
    ),
};

/** The options of a pairwise loss, with those of what scores pass through. */
export function pairwiseSchema<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject({ ...shape, ...scoreActivation }).superRefine((value, context) => {
    const { elu, tanh } = value as unknown as { elu: number; tanh: boolean };
    if (!tanh || elu === 0) return;
    const message = `scores pass through tanh or elu, not both; remove elu: ${elu} or tanh`;
    context.addIssue({ code: 'custom', path: ['tanh'], message });
  });
}
