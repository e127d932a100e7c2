import { z } from 'zod';

const summary = z.strictObject({
  mean: z.number(),
  /** JSON has no NaN: the error of a single window is null. */
  standardError: z.number().nullable(),
  /** Windows, or seeds where there is one window; unknown in rows of earlier versions. */
  count: z.int().min(0).optional(),
});

/** One model of one run, with what its figures need to be checked. */
export const resultRowSchema = z.strictObject({
  model: z.string().min(1),
  experiment: z.string().min(1),
  metrics: z.record(z.string(), summary),
  numSeeds: z.int().min(1).optional(),
  numWindows: z.int().min(1).optional(),
  trainSeconds: z.number(),
  evaluateSeconds: z.number().optional(),
  memoryBytes: z.number().optional(),
  startedAt: z.string(),
  commit: z.string().optional(),
  /** Whether the working directory had changes that the commit lacks. */
  isModified: z.boolean().optional(),
  dataChecksum: z.string(),
  /** `2 × AMD EPYC, native (avx2, 2 threads)` */
  machine: z.string(),
});

export type ResultRow = z.output<typeof resultRowSchema>;
