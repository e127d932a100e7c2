import type { Schedule } from './schedule.ts';

/** Always the highest rate. */
export const constant: Schedule = () => 1;
