export { type Manifest, SCHEMA_VERSION } from './manifest.ts';
export { type OpenedModel, openModel } from './open-model.ts';
export { type ModelFiles, openModelFiles } from './open-model-files.ts';
export { readModelFolder } from './read-model-folder.ts';
export { Recommender } from './recommender.ts';
export {
  type Recommendation,
  type RecommendedItem,
  type RecommendRequest,
  RequestError,
  type RequestSession,
} from './request.ts';
export { type WriteModelFolderOptions, writeModelFolder } from './write-model-folder.ts';
