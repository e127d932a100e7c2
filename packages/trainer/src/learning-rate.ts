import { type StepConfig, stepSchema } from './schedules/step.ts';
import * as schedules from './schedules.ts';

export type ScheduleName = keyof typeof schedules;

export interface LearningRateConfig {
  /** The highest learning rate. */
  readonly learningRate: number;
  readonly schedule: ScheduleName;
  /** Share of the steps in which the rate rises linearly from 0 first; `oneCycle` rises in its own way. */
  readonly warmupShare: number;
  /** Cosines of `cosineRestarts`. Default 2. */
  readonly numCycles?: number;
  /** Cuts of `step`. Default to a tenth after half and three quarters. */
  readonly cuts?: StepConfig;
}

const DEFAULT_CUTS = stepSchema.parse({});

/**
 * The learning rate of a step.
 *
 * Differs from PyTorch and transformers: the first step of a warm-up is taken at 1/n of the rate, not at 0, where it would
 * teach nothing; so every step after a warm-up has the rate that theirs has one step before.
 *
 * @param step 1-based
 * @param numSteps steps of the whole schedule
 *
 * @example
 * const config = { learningRate: 0.1, schedule: 'linear', warmupShare: 0.2 };
 * [1, 2, 3, 6, 10].map((step) => learningRateAt(step, 10, config)); // → [0.05, 0.1, 0.1, 0.0625, 0.0125]
 */
export function learningRateAt(step: number, numSteps: number, config: LearningRateConfig): number {
  const { learningRate, schedule, warmupShare, numCycles = 2, cuts = DEFAULT_CUTS } = config;
  const numWarmup = Math.round(warmupShare * numSteps);
  const ownsWarmup = schedule === 'oneCycle';
  if (!ownsWarmup && step <= numWarmup) return (learningRate * step) / numWarmup;
  const before = ownsWarmup ? 0 : numWarmup;
  const point = { stepsDone: step - before - 1, numSteps: numSteps - before, numWarmup, numCycles, cuts };
  return learningRate * schedules[schedule](point);
}
