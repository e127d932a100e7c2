import type { Schedule } from './schedule.ts';

const START_SHARE = 1 / 25;
const END_SHARE = START_SHARE / 1e4;
const RISE_SHARE = 0.3;

/**
 * Rises from 1/25 of the highest rate along half a cosine and falls along another to 1/250 000 (Smith & Topin 2019). The
 * warm-up is the rise: 30 % of the steps when none is asked for.
 */
export const oneCycle: Schedule = ({ stepsDone, numSteps, numWarmup }) => {
  const top = Math.max(0, (numWarmup || RISE_SHARE * numSteps) - 1);
  const last = numSteps - 1;
  if (stepsDone < top) return between(START_SHARE, 1, stepsDone / top);
  return last > top ? between(1, END_SHARE, (stepsDone - top) / (last - top)) : 1;
};

function between(from: number, to: number, share: number): number {
  return to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2;
}
