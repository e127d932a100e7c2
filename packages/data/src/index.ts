export { BatchPrefetcher, type BatchPrefetcherOptions } from './batches/batch-prefetcher.ts';
export { type EncodedSessions, type EncodeSessionsOptions, encodeSessions } from './batches/encode-sessions.ts';
export { hideNewest, type NextItemQuestions } from './batches/hide-newest.ts';
export { knownOfTargets, labelColumn, takeApart, WEIGHT_COLUMN } from './batches/label-targets.ts';
export {
  assertObjectiveFits,
  defineObjective,
  explainMisfit,
  type Objective,
  type ObjectiveDraw,
  type ObjectiveSpec,
} from './batches/objective.ts';
export {
  longestSeen,
  type PackBatchesOptions,
  type PackInferenceBatchesOptions,
  packBatches,
  packInferenceBatches,
} from './batches/pack-batches.ts';
export { type BatchPlanOptions, countBatches, planBatches } from './batches/plan-batches.ts';
export {
  type SessionParallelOptions,
  type SessionParallelStep,
  sessionParallelSteps,
} from './batches/session-parallel.ts';
export { SpilledSessions } from './batches/spilled-sessions.ts';
export { sessionsFromArrow, sessionsToArrow } from './dataset/arrow-sessions.ts';
export { type DatasetFromSessionsOptions, datasetFromSessions } from './dataset/dataset-from-sessions.ts';
export { type PlainSession, type PlainSessions, sessionsFromPlain } from './dataset/plain-sessions.ts';
export { type EventColumns, keyOfColumn, mapColumns, type RawColumn, weightsOfEvents } from './dataset/raw-columns.ts';
export { concatSessions, countSessions, emptySessions, type Sessions, takeSessions } from './dataset/sessions.ts';
export { type SplitOptions, splitOfSession } from './dataset/split-of-session.ts';
export { SPLIT_NAMES, type SplitName, type WindowedDataset, type WindowInfo } from './dataset/windowed-dataset.ts';
export type { DatasetDownload, DatasetSpec } from './datasets/dataset-spec.ts';
export * as datasets from './datasets.ts';
export { describeEvents, type EventsDescription } from './describe/describe-events.ts';
export { describeLog, type LogColumn, type LogDescription } from './describe/describe-log.ts';
export type { Feature, FeatureColumn, FeatureOutput, FeatureSource, FeatureSpec } from './features/feature.ts';
export {
  columnsOfFeatures,
  createFeaturePipeline,
  type FeatureConfig,
  FeaturePipeline,
  featuresSchema,
  outputsOfFeatures,
  restoreFeaturePipeline,
  type SavedFeaturePipeline,
} from './features/feature-pipeline.ts';
export { ItemVectors, type MissingVector } from './features/item-vectors.ts';
export { readItemVectors } from './features/read-item-vectors.ts';
export * as features from './features.ts';
export { type Checksum, type DownloadOptions, download } from './fetch/download.ts';
export { type FetchDatasetOptions, type FetchedDataset, fetchDataset } from './fetch/fetch-dataset.ts';
export { generateShop, type ShopEvents } from './generated/generate-shop.ts';
export { oracleRanks, type ShopOracle, shopOracle } from './generated/shop-oracle.ts';
export { parseShopOptions, type ShopInput, type ShopOptions, shopSchema } from './generated/shop-schema.ts';
export { writeGeneratedLog } from './generated/write-generated-log.ts';
export * as objectives from './objectives.ts';
export { openParquetWriter, type ParquetStoreChoice, readParquet } from './parquet/choose-store.ts';
export { duckdbStore } from './parquet/duckdb-store.ts';
export type {
  ParquetColumns,
  ParquetColumnType,
  ParquetSchema,
  ParquetStore,
  ParquetWriter,
} from './parquet/parquet-store.ts';
export { parquetjsStore } from './parquet/parquetjs-store.ts';
export type { PreparedCounts } from './prepare/manifest.ts';
export { openPrepared, type PreparedDataset } from './prepare/open-prepared.ts';
export { type PrepareOptions, type PrepareProgress, prepareWindows } from './prepare/prepare-windows.ts';
export {
  columnsSchema,
  type DatasetConfig,
  type DatasetInput,
  datasetSchema,
  type FilesDataset,
  filesDatasetSchema,
  type GeneratedDataset,
  generatedDatasetSchema,
  type LogInput,
  specDatasetSchema,
  type TimeUnit,
  timeUnitSchema,
} from './read/dataset-schema.ts';
export {
  type EventLog,
  type EventLogOptions,
  type KeyIds,
  openEventLog,
  type SelectedEvents,
  type StartRange,
} from './read/event-log.ts';
export type { MissingCounts } from './read/missing-cells.ts';
export { type Candidates, type CandidatesFile, readCandidates } from './read/read-candidates.ts';
export { type ReadSession, readSessions, type SessionColumns } from './read/read-sessions.ts';
export { readTitles, type TitlesFile } from './read/read-titles.ts';
export { detectTimeUnit, MS_PER_UNIT } from './read/time-unit.ts';
export { type SessionizedEvents, sessionize } from './sessions/sessionize.ts';
export {
  type EmittedSession,
  type EventChunk,
  Sessionizer,
  type SessionizerCounts,
  type SessionizerOptions,
} from './sessions/sessionizer.ts';
export { type SessionsConfig, type SessionsInput, sessionsSchema } from './sessions/sessions-schema.ts';
export { type PrepareInShardsOptions, prepareInShards, type SharedPreparation } from './shards/prepare-in-shards.ts';
export { runShardJob, type ShardJobOptions } from './shards/run-shard-job.ts';
export type { ShardJob, ShardResult } from './shards/shard-job.ts';
export type { SharedFiles } from './shards/shared-files.ts';
export { ItemVocabulary, type ItemVocabularyJson } from './vocabulary/item-vocabulary.ts';
export { type Calendar, createCalendar, type WindowSpan } from './windows/calendar.ts';
export { type HeldOut, leaveLast } from './windows/held-out.ts';
export { type HeldOutPolicy, heldOutSchemas } from './windows/held-out-schema.ts';
export {
  type EvaluationPolicy,
  evaluationPolicySchema,
  type PlanEvaluationOptions,
  type PlannedEvaluation,
  planEvaluation,
} from './windows/plan-evaluation.ts';
export { type PlannedWindow, planWindows, type WindowBounds, windowIndexOf } from './windows/plan-windows.ts';
export {
  assertNoLeak,
  type EvaluationPlan,
  type EvaluationStep,
  planRollingEvaluation,
  type RollingEvaluationOptions,
  selectWindow,
  type TrainPolicy,
} from './windows/rolling-evaluation.ts';
export {
  rollingEvaluationSchema,
  type SplitConfig,
  splitSchema,
  type WindowsConfig,
  type WindowsInput,
  windowsSchema,
} from './windows/windows-schema.ts';
