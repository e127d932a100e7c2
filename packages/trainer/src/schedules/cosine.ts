import type { Schedule } from './schedule.ts';

/** Half a cosine down to 0: (1 + cos(π t / T)) / 2 (Loshchilov & Hutter 2017, eq. 5). */
export const cosine: Schedule = ({ stepsDone, numSteps }) => (1 + Math.cos((Math.PI * stepsDone) / numSteps)) / 2;
