import { z } from 'zod';

const path = z
  .string()
  .regex(/^[^.\s]+(\.[^.\s]+)*$/, { error: 'expected a path such as training.learningRate or models.1.hiddenSize' });
const range = z
  .strictObject({
    min: z.number().describe('Smallest value.'),
    max: z.number().describe('Largest value.'),
    scale: z
      .enum(['linear', 'log'])
      .default('linear')
      .describe('`log`: as many draws between .001 and .01 as between .01 and .1.'),
    whole: z.boolean().default(false).describe('Whole numbers only.'),
  })
  .refine(({ min, max }) => min < max, { error: 'expected min below max' })
  .refine(({ min, scale }) => scale === 'linear' || min > 0, { error: 'expected min above 0 with scale log' });
const choices = z.array(z.unknown()).min(1);

const common = {
  workers: z.int().min(1).default(1).describe('The cells run in so many processes at a time.'),
  memoryMiB: z
    .int()
    .min(1)
    .default(4096)
    .describe(
      'All processes together stay below. A cell is taken to need what the largest one so far needed; one that takes more than is left goes on when there is room, and one that takes more than this alone fails.',
    ),
  eachModel: z.boolean().default(false).describe('A cell of its own for every entry of `models`.'),
  eachSeed: z.boolean().default(false).describe('A cell of its own for every seed.'),
  metric: z.string().optional().describe('What the cells are ordered by. Default: the first metric of the evaluation.'),
};
const drawn = {
  ...common,
  values: z.record(path, z.union([choices, range])).describe('Path → values, as a list or as a range.'),
  numCells: z.int().min(1).describe('How many variations are drawn.'),
  seed: z.int().min(0).default(1).describe('Another seed draws other values.'),
};

/** The `sweep` section of an experiment file: which variations of the experiment run. */
export const sweepSchema = z.discriminatedUnion('strategy', [
  /** Every combination. */
  z.strictObject({
    strategy: z.literal('grid'),
    ...common,
    values: z.record(path, choices).describe('Path → list of values; every combination runs.'),
  }),
  /** The variations as they are listed. */
  z.strictObject({
    strategy: z.literal('list'),
    ...common,
    cells: z.array(z.record(path, z.unknown())).min(1).describe('The variations, each as path → value.'),
  }),
  /** So many draws, each value on its own. */
  z.strictObject({ strategy: z.literal('random'), ...drawn }),
  /** Many draws with a small budget; what is among the best `1 / factor` of those so far goes on with `factor` times as much. */
  z.strictObject({
    strategy: z.literal('halving'),
    ...drawn,
    budget: path.default('training.epochs').describe('The path that holds the budget.'),
    minBudget: z.int().min(1).default(1).describe('What every variation gets first.'),
    maxBudget: z.int().min(1).describe('What the best get in the end.'),
    factor: z
      .int()
      .min(2)
      .default(3)
      .describe('What is among the best 1 / factor of the results so far goes on, with factor times the budget.'),
  }),
]);

export type SweepConfig = z.output<typeof sweepSchema>;
