import { parseMetricAtK } from '@nimue/metrics';
import { z } from 'zod';
import { earlyStoppingSchema, LOSS } from './early-stopping.ts';
import type { ScheduleName } from './learning-rate.ts';
import { NEW_ITEMS } from './new-items.ts';
import * as optimizers from './optimizers.ts';
import { plateauSchema } from './schedules/reduce-on-plateau.ts';
import { stepSchema } from './schedules/step.ts';
import * as schedules from './schedules.ts';
import { WEIGHT_DECAY_GROUPS } from './weight-decay-groups.ts';

type OptimizerName = keyof typeof optimizers;

/** A metric of the evaluation, or the training loss. */
const watchedMetric = z.string().refine(isWatched, { error: 'expected loss, or <metric>@<k> such as ndcg@20' });

/** The `training` section of an experiment file: how one window is learned. */
export const trainingSchema = z.strictObject({
  epochs: z.int().min(1).default(5).describe('Passes over the train sessions of a window.'),
  baseEpochs: z
    .int()
    .min(1)
    .optional()
    .describe(
      'Passes where the weights start from scratch (the base period), if other than `epochs`, which later windows take.',
    ),
  steps: z.int().min(1).optional().describe('Steps of a window instead of epochs: as many passes as they take.'),
  earlyStopping: earlyStoppingSchema
    .extend({
      metric: watchedMetric.describe('What is watched: `loss`, or a metric on the `valid` part of the next window.'),
    })
    .optional()
    .describe("Ends a window's training before its epochs do; the model goes on with the weights of its best epoch."),
  keepBest: z
    .array(watchedMetric)
    .min(1)
    .optional()
    .describe(
      "Metrics by each of which a window's best epoch is kept, several at once: chosen on the `valid` part of the window that is evaluated next, reported on its `test` part, and kept as a checkpoint.",
    ),
  validateEvery: z
    .int()
    .min(1)
    .optional()
    .describe(
      'Epochs from one look at the valid part to the next, for `earlyStopping` and `keepBest`; the last epoch is looked at too.',
    ),
  batchSize: z.int().min(1).default(128).describe('Sessions per batch.'),
  sessionParallel: z
    .boolean()
    .default(false)
    .describe(
      "GRU4Rec's mini-batches: `batchSize` sessions side by side, one click a step, the state carried to the next step and reset where a session begins. For models that carry a state, with the causal objective.",
    ),
  accumulateBatches: z
    .int()
    .min(1)
    .optional()
    .describe('Batches per step: their gradients together are those of one batch of all their sessions.'),
  maxBatchEvents: z
    .int()
    .min(1)
    .optional()
    .describe(
      'Token budget: at most this many events per batch, targets and all, after truncation; `batchSize` still holds.',
    ),
  bucketBatches: z
    .int()
    .min(2)
    .optional()
    .describe(
      'Bucketing: batches of sessions of about the same length, sorted within this many shuffled batches at a time.',
    ),
  learningRate: z.number().positive().default(0.001).describe('Step size of the optimizer, before the schedule.'),
  schedule: z
    .enum(Object.keys(schedules) as ScheduleName[])
    .default('constant')
    .describe('How the learning rate moves; each is one file in `schedules/`.'),
  scheduleOver: z
    .enum(['window', 'run'])
    .optional()
    .describe(
      'Over what it moves: it starts anew in every `window`, or once over the whole `run`, every window an equal part of it.',
    ),
  numCycles: z.int().min(1).optional().describe('`cosineRestarts`: how many cosines; 2 when not given.'),
  cuts: stepSchema.optional().describe('`step`: when the rate is cut, and by what.'),
  plateau: plateauSchema.optional().describe('`reduceOnPlateau`: what counts as one and what is done then.'),
  warmupShare: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe("Share of the schedule's steps in which the rate rises from 0 first."),
  optimizer: z
    .enum(Object.keys(optimizers) as OptimizerName[])
    .default('adam')
    .describe('What moves the parameters; it takes those of the options below that its formula has.'),
  momentum: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe("Share μ of the last update in the next: `adagrad` (as GRU4Rec adds it) and `sgd`. Adam's is beta1."),
  weightDecay: z
    .number()
    .min(0)
    .default(0)
    .describe(
      'Weight decay λ: decoupled with `adam` (AdamW), added to the scaled gradient with `adagrad`, to the gradient with `adamL2` and `sgd`.',
    ),
  weightDecayOn: z
    .enum(WEIGHT_DECAY_GROUPS)
    .optional()
    .describe(
      'Which parameters decay: `all`, `matrices` (no biases and norms), or `hiddenMatrices` (no looked-up tables either).',
    ),
  averageDecay: z
    .number()
    .min(0)
    .lt(1)
    .optional()
    .describe(
      'How much of the moving average of the weights stays at each step; models are evaluated with the average.',
    ),
  carryOptimizer: z
    .boolean()
    .optional()
    .describe(
      'The optimizer keeps its state from window to window with the weights; otherwise each window starts with a fresh one.',
    ),
  beta1: z.number().min(0).lt(1).default(0.9).describe('`adam`, `adamL2`: how much of the first moment stays.'),
  beta2: z.number().min(0).lt(1).default(0.999).describe('`adam`, `adamL2`: how much of the second moment stays.'),
  epsilon: z
    .number()
    .positive()
    .default(1e-8)
    .describe('`adam`, `adamL2`: beside the root; `adagrad`: inside it, where GRU4Rec has 1e-6.'),
  touchedRowsOnly: z
    .boolean()
    .default(false)
    .describe(
      'Only the rows of a table that a step looked up move, with their optimizer state (lazy Adam), and no gradient is as large as the table. For losses on sampled items: a softmax over all items touches every row of its table.',
    ),
  precision: z
    .enum(['float32', 'bfloat16'])
    .default('float32')
    .describe(
      "Operands of the output layer's and the linear layers' products in training: `bfloat16` rounds them to 8 significant bits where the processor multiplies those faster (AVX512-BF16); elsewhere it says so once and computes in float32. Evaluation is float32.",
    ),
  clipNorm: z
    .number()
    .positive()
    .optional()
    .describe('Gradients are scaled down together to this global norm; absent: not at all.'),
  explodingLoss: z
    .number()
    .gt(1)
    .optional()
    .describe(
      "A loss above this many times the mean of the window's first ten steps (or 1, if that is more) ends the run. Default 20.",
    ),
  prefetch: z
    .boolean()
    .default(false)
    .describe(
      'Cuts the batches on another thread, ahead of the steps. They are cut fast enough without: it pays where they come from a file on a slow disk (`maxEventsInMemory`) and a core is free.',
    ),
  maxEventsInMemory: z
    .int()
    .min(0)
    .default(100_000_000)
    .describe('Train windows with more events together are kept in a temporary file; the batches are the same.'),
  newItems: z
    .enum(NEW_ITEMS)
    .default('random')
    .describe(
      'How items that a later window brings start: `random` as in the beginning, `mean` of all known items, `neighbors` like the known items clicked right before or after them; `features`: as the mean, told apart by the inputs of role `item`.',
    ),
  maxLength: z
    .int()
    .min(1)
    .optional()
    .describe("Sessions are cut to their newest events; the model's own limit applies too."),
});

export type TrainingConfig = z.output<typeof trainingSchema>;

function isWatched(label: string): boolean {
  if (label === LOSS) return true;
  try {
    parseMetricAtK(label);
    return true;
  } catch {
    return false;
  }
}
