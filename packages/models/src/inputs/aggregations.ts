// One line per way to join inputs; the export name is the `aggregation` in an experiment file.
export { concat } from './aggregations/concat.ts';
export { stack } from './aggregations/stack.ts';
export { sum } from './aggregations/sum.ts';
export { sumTimesItem } from './aggregations/sum-times-item.ts';
