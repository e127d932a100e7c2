// What a browser needs to ask a model: no files, no threads, no native modules.
export { type EncodedSessions, type EncodeSessionsOptions, encodeSessions } from './batches/encode-sessions.ts';
export { hideNewest, type NextItemQuestions } from './batches/hide-newest.ts';
export { defineObjective, type Objective, type ObjectiveSpec } from './batches/objective.ts';
export { type PackInferenceBatchesOptions, packBatches, packInferenceBatches } from './batches/pack-batches.ts';
export { type PlainSession, type PlainSessions, sessionsFromPlain } from './dataset/plain-sessions.ts';
export { type EventColumns, keyOfColumn, mapColumns, type RawColumn, weightsOfEvents } from './dataset/raw-columns.ts';
export { concatSessions, countSessions, emptySessions, type Sessions, takeSessions } from './dataset/sessions.ts';
export type { Feature, FeatureColumn, FeatureOutput, FeatureSource, FeatureSpec } from './features/feature.ts';
export {
  columnsOfFeatures,
  type FeatureConfig,
  FeaturePipeline,
  featuresSchema,
  outputsOfFeatures,
  restoreFeaturePipeline,
  type SavedFeaturePipeline,
} from './features/feature-pipeline.ts';
export { ItemVectors, type MissingVector } from './features/item-vectors.ts';
export * as features from './features.ts';
export * as objectives from './objectives.ts';
export { ItemVocabulary, type ItemVocabularyJson } from './vocabulary/item-vocabulary.ts';
