// One line per model; the export name is the model's name in an experiment file.
export { gru4rec } from './gru4rec.ts';
export { popularity } from './popularity.ts';
export { sasrec } from './sasrec.ts';
