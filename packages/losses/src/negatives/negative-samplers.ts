// One line per sampler; the export name is the sampler's name in an experiment file.
export { all } from './all.ts';
export { dynamicHard } from './dynamic-hard.ts';
export { inBatch } from './in-batch.ts';
export { mixed } from './mixed.ts';
export { popularity } from './popularity.ts';
export { uniform } from './uniform.ts';
