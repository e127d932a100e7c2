import { z } from 'zod';
import type { Schedule } from './schedule.ts';

export const stepSchema = z.strictObject({
  at: z
    .array(z.number().gt(0).lt(1))
    .min(1)
    .refine((at) => at.every((share, i) => i === 0 || share > at[i - 1]), {
      error: 'expected rising shares, each once',
    })
    .default([0.5, 0.75])
    .describe("Shares of the schedule's steps after which the rate is cut: 0.5 of six epochs is after three."),
  factor: z.number().positive().lt(1).default(0.1).describe('The rate is multiplied by it at every cut.'),
});

export type StepConfig = z.output<typeof stepSchema>;

/** factorⁿ after n of the cuts `at`, that of share s lying before step s T, rounded (PyTorch's `MultiStepLR`, in shares). */
export const step: Schedule = ({ stepsDone, numSteps, cuts: { at, factor } }) =>
  factor ** at.filter((share) => stepsDone >= Math.round(share * numSteps)).length;
