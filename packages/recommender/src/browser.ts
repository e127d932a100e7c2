// What a browser needs to ask a model: no files.
export type { NewItem } from './add-items.ts';
export { type ClusterOptions, clusterSearch } from './cluster-search.ts';
export type { ItemEffect } from './explain-item.ts';
export type { ItemSearch, ItemVectors } from './item-search.ts';
export { LiveSession, type SessionEvent } from './live-session.ts';
export { type Manifest, SCHEMA_VERSION } from './manifest.ts';
export { type OpenedModel, openModel } from './open-model.ts';
export { type ModelFiles, openModelFiles } from './open-model-files.ts';
export { Recommender } from './recommender.ts';
export {
  type Cell,
  type ListOptions,
  type Recommendation,
  type RecommendedItem,
  type RecommendRequest,
  RequestError,
  type RequestSession,
} from './request.ts';
export type { Steps } from './steps.ts';
