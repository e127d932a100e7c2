export { type Manifest, SCHEMA_VERSION } from './manifest.ts';
export { type OpenedModel, readModelFolder } from './read-model-folder.ts';
export { Recommender } from './recommender.ts';
export {
  type Recommendation,
  type RecommendedItem,
  type RecommendRequest,
  RequestError,
  type RequestSession,
} from './request.ts';
export { type WriteModelFolderOptions, writeModelFolder } from './write-model-folder.ts';
