import { z } from 'zod';

const path = z
  .string()
  .regex(/^[^.\s]+(\.[^.\s]+)*$/, { error: 'expected a path such as training.learningRate or models.1.hiddenSize' });
const range = z
  .strictObject({
    min: z.number(),
    max: z.number(),
    /** `log`: as many draws between .001 and .01 as between .01 and .1. */
    scale: z.enum(['linear', 'log']).default('linear'),
    /** Whole numbers only. */
    whole: z.boolean().default(false),
  })
  .refine(({ min, max }) => min < max, { error: 'expected min below max' })
  .refine(({ min, scale }) => scale === 'linear' || min > 0, { error: 'expected min above 0 with scale log' });
const choices = z.array(z.unknown()).min(1);

const common = {
  /** The cells run in so many processes at a time. */
  workers: z.int().min(1).default(1),
  /** All processes together stay below; a cell is taken to need what the largest one so far needed. */
  memoryMiB: z.int().min(1).default(4096),
  /** A cell of its own for every entry of `models`. */
  eachModel: z.boolean().default(false),
  /** A cell of its own for every seed. */
  eachSeed: z.boolean().default(false),
  /** What the cells are ordered by. Default: the first metric of the evaluation. */
  metric: z.string().optional(),
};
const drawn = {
  ...common,
  values: z.record(path, z.union([choices, range])),
  numCells: z.int().min(1),
  seed: z.int().min(0).default(1),
};

/** The `sweep` section of an experiment file: which variations of the experiment run. */
export const sweepSchema = z.discriminatedUnion('strategy', [
  /** Every combination. */
  z.strictObject({ strategy: z.literal('grid'), ...common, values: z.record(path, choices) }),
  /** The variations as they are listed. */
  z.strictObject({ strategy: z.literal('list'), ...common, cells: z.array(z.record(path, z.unknown())).min(1) }),
  /** So many draws, each value on its own. */
  z.strictObject({ strategy: z.literal('random'), ...drawn }),
  /** Many draws with a small budget; the best `1 / factor` of them go on with `factor` times as much. */
  z.strictObject({
    strategy: z.literal('halving'),
    ...drawn,
    /** The path that holds the budget. */
    budget: path.default('training.epochs'),
    minBudget: z.int().min(1).default(1),
    maxBudget: z.int().min(1),
    factor: z.int().min(2).default(3),
  }),
]);

export type SweepConfig = z.output<typeof sweepSchema>;
