/** The ready-made data sets: one line each. The export name is the name used in an experiment file. */
export { amazonBeauty } from './datasets/amazon-beauty.ts';
export { generatedShop } from './datasets/generated-shop.ts';
export { globo } from './datasets/globo.ts';
export { lastfmArtists } from './datasets/lastfm-artists.ts';
export { ml1m } from './datasets/ml-1m.ts';
