import { z } from 'zod';

/** The `training` section of an experiment file: how one window is learned. */
export const trainingSchema = z.strictObject({
  /** Passes over the train sessions of a window. */
  epochs: z.int().min(1).default(5),
  /** Sessions per step. */
  batchSize: z.int().min(1).default(128),
  learningRate: z.number().positive().default(0.001),
  /** `linear` and `cosine` fall to 0 at the end of each window and start anew in the next. */
  schedule: z.enum(['constant', 'linear', 'cosine']).default('constant'),
  /** Share of a window's steps in which the rate rises from 0 first. */
  warmupShare: z.number().min(0).max(1).default(0),
  /** Decoupled weight decay λ of AdamW; 0 is plain Adam. */
  weightDecay: z.number().min(0).default(0),
  beta1: z.number().min(0).lt(1).default(0.9),
  beta2: z.number().min(0).lt(1).default(0.999),
  epsilon: z.number().positive().default(1e-8),
  /** Gradients are scaled down together to this global norm; absent: not at all. */
  clipNorm: z.number().positive().optional(),
  /** Sessions are cut to their newest events; the model's own limit applies too. */
  maxLength: z.int().min(1).optional(),
});

export type TrainingConfig = z.output<typeof trainingSchema>;
