// One line per optimizer; the export name is the optimizer's name in an experiment file.
export { adagrad } from './adagrad.ts';
export { adam } from './adam.ts';
export { adamL2 } from './adam-l2.ts';
export { sgd } from './sgd.ts';
