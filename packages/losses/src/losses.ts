// One line per loss; the export name is the loss's name in an experiment file.
export { crossEntropy } from './cross-entropy.ts';
