// One line per kind of input; the export name is its `kind` in an experiment file.
export { category } from './kinds/category.ts';
export { projection } from './kinds/projection.ts';
export { scalar } from './kinds/scalar.ts';
export { softOneHot } from './kinds/soft-one-hot.ts';
export { timeInterval } from './kinds/time-interval.ts';
export { vector } from './kinds/vector.ts';
