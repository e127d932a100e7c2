/** The ready-made data sets: one line each. The export name is the name used in an experiment file. */
export { generatedShop } from './datasets/generated-shop.ts';
export { globo } from './datasets/globo.ts';
