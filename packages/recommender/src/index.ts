export type { NewItem } from './add-items.ts';
export { type ClusterOptions, clusterSearch } from './cluster-search.ts';
export type { ItemEffect } from './explain-item.ts';
export {
  type ExportedModel,
  type ExportModelOptions,
  exportModel,
  type FormatName,
} from './exports/export-model.ts';
export * as formats from './exports/formats.ts';
export type { Int8Loss } from './exports/int8-loss.ts';
export { findModelFolder } from './find-model-folder.ts';
export { type HnswOptions, hnswSearch } from './hnsw-search.ts';
export type { ItemSearch, ItemVectors } from './item-search.ts';
export { LiveSession, type SessionEvent } from './live-session.ts';
export { type Manifest, SCHEMA_VERSION } from './manifest.ts';
export { type OpenedModel, openModel } from './open-model.ts';
export { type ModelFiles, openModelFiles } from './open-model-files.ts';
export { readModelFolder } from './read-model-folder.ts';
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
export { type WriteModelFolderOptions, writeModelFolder } from './write-model-folder.ts';
