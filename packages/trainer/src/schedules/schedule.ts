import type { StepConfig } from './step.ts';

/** Where a step stands in its schedule. */
export interface SchedulePoint {
  /** Steps since the warm-up, this one not included, and their number altogether. */
  readonly stepsDone: number;
  readonly numSteps: number;
  /** Steps of the warm-up before them. */
  readonly numWarmup: number;
  /** `cosineRestarts`: cosines one after another. */
  readonly numCycles: number;
  /** `step`: where the rate is cut, and by what. */
  readonly cuts: StepConfig;
}

/** The learning rate of a step as a share of the highest one; its shape after the warm-up. */
export type Schedule = (point: SchedulePoint) => number;
