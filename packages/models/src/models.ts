// One line per model; the export name is the model's name in an experiment file.
export { associationRules } from './association-rules.ts';
export { ease } from './ease.ts';
export { gru4rec } from './gru4rec.ts';
export { itemKnn } from './item-knn.ts';
export { markov } from './markov.ts';
export { popularity } from './popularity.ts';
export { sasrec } from './sasrec.ts';
export { sequentialRules } from './sequential-rules.ts';
export { sessionPopularity } from './session-popularity.ts';
export { sknn } from './sknn.ts';
export { stan } from './stan.ts';
export { vsknn } from './vsknn.ts';
export { vstan } from './vstan.ts';
