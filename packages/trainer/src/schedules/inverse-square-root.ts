import type { Schedule } from './schedule.ts';

/** Steps after which the rate begins to fall noticeably when there is no warm-up. */
const TIMESCALE_STEPS = 10_000;

/** √(τ / (t + τ)) with τ the steps of the warm-up, 10 000 without one (Raffel et al. 2020, section 3.1.2). */
export const inverseSquareRoot: Schedule = ({ stepsDone, numWarmup }) => {
  const timescale = numWarmup || TIMESCALE_STEPS;
  return Math.sqrt(timescale / (stepsDone + timescale));
};
