/** The objectives: one line each. The export name is the name used in an experiment file. */
export { causal } from './batches/causal.ts';
export { lastItem } from './batches/last-item.ts';
export { masked } from './batches/masked.ts';
export { permutation } from './batches/permutation.ts';
export { replacedToken } from './batches/replaced-token.ts';
