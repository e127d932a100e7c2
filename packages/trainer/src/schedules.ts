// One line per schedule; the export name is the schedule's name in an experiment file.
export { constant } from './schedules/constant.ts';
export { cosine } from './schedules/cosine.ts';
export { cosineRestarts } from './schedules/cosine-restarts.ts';
export { inverseSquareRoot } from './schedules/inverse-square-root.ts';
export { linear } from './schedules/linear.ts';
export { oneCycle } from './schedules/one-cycle.ts';
export { reduceOnPlateau } from './schedules/reduce-on-plateau.ts';
export { step } from './schedules/step.ts';
