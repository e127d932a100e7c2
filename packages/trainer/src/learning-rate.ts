/** How the learning rate moves from the first step of a window to the last. */
export type Schedule = 'constant' | 'linear' | 'cosine';

export interface LearningRateConfig {
  /** The highest learning rate. */
  readonly learningRate: number;
  /** `linear` and `cosine` fall to 0 at the end of the window. */
  readonly schedule: Schedule;
  /** Share of the steps in which the rate rises linearly from 0 first. */
  readonly warmupShare: number;
}

/**
 * The learning rate of a step.
 *
 * @param step 1-based
 * @param numSteps steps of the whole window
 *
 * @example
 * const config = { learningRate: 0.1, schedule: 'linear', warmupShare: 0.2 };
 * [1, 2, 3, 6, 10].map((step) => learningRateAt(step, 10, config)); // → [0.05, 0.1, 0.1, 0.0625, 0.0125]
 */
export function learningRateAt(step: number, numSteps: number, config: LearningRateConfig): number {
  const { learningRate, schedule, warmupShare } = config;
  const numWarmup = Math.round(warmupShare * numSteps);
  if (step <= numWarmup) return (learningRate * step) / numWarmup;
  if (schedule === 'constant') return learningRate;
  const done = (step - numWarmup - 1) / (numSteps - numWarmup);
  return schedule === 'linear' ? learningRate * (1 - done) : (learningRate * (1 + Math.cos(Math.PI * done))) / 2;
}
