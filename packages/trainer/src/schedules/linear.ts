import type { Schedule } from './schedule.ts';

/** Falls evenly to 0: 1 − t / T. */
export const linear: Schedule = ({ stepsDone, numSteps }) => 1 - stepsDone / numSteps;
