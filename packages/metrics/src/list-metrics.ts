// One line per metric of whole lists; the export name is the name in an experiment file (`coverage@20`).
export { coverageAtK as coverage } from './lists/coverage.ts';
export { diversityAtK as diversity } from './lists/diversity.ts';
export { entropyAtK as entropy } from './lists/entropy.ts';
export { giniAtK as gini } from './lists/gini.ts';
export { noveltyAtK as novelty } from './lists/novelty.ts';
export { meanPopularityAtK as popularity, popularityLiftAtK as popularityLift } from './lists/popularity.ts';
export { serendipityAtK as serendipity } from './lists/serendipity.ts';
