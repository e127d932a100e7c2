import type { Schedule } from './schedule.ts';

/** `numCycles` half cosines, each from the highest rate to 0: (1 + cos(π · frac(n t / T))) / 2 (Loshchilov & Hutter 2017). */
export const cosineRestarts: Schedule = ({ stepsDone, numSteps, numCycles }) =>
  (1 + Math.cos(Math.PI * (((numCycles * stepsDone) / numSteps) % 1))) / 2;
