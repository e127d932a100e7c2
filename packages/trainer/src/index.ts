export { listenerOf, type TrainerCallback } from './callbacks.ts';
export { CheckpointError, readCheckpointFile, writeCheckpointFile } from './checkpoints/checkpoint-file.ts';
export { type CheckpointOptions, type CheckpointsConfig, checkpointsSchema } from './checkpoints/run-checkpoints.ts';
export {
  decodeSafetensors,
  encodeSafetensors,
  type Safetensors,
  type StoredArray,
  type StoredTensor,
} from './checkpoints/safetensors.ts';
export { compareLists, type ListOverlap } from './compare-lists.ts';
export { betterThan, compareModels, MIN_WINDOWS_TO_COMPARE, type ModelComparison } from './compare-models.ts';
export { type Divergence, DivergenceError } from './divergence-error.ts';
export {
  type EarlyStoppingConfig,
  earlyStoppingSchema,
  observeValidation,
  type StoppingState,
} from './early-stopping.ts';
export { CatalogueStatistics } from './evaluation/catalogue-statistics.ts';
export { type EarlierResult, type Forgetting, summarizeForgetting } from './evaluation/earlier-windows.ts';
export {
  type EvaluateOptions,
  type Evaluation,
  evaluate,
  evaluationBatches,
  type SliceResult,
} from './evaluation/evaluate.ts';
export { narrowsCatalogue } from './evaluation/evaluate-reference.ts';
export { type EvaluateTrainedArgs, evaluateTrained } from './evaluation/evaluate-trained.ts';
export { type EvaluateWindowArgs, WindowEvaluator } from './evaluation/evaluate-window.ts';
export {
  columnsOfEvaluation,
  type EvaluationConfig,
  evaluatedMetrics,
  evaluationSchema,
} from './evaluation/evaluation-schema.ts';
export type { SampledNegatives } from './evaluation/sampled-negatives.ts';
export { SeenValues } from './evaluation/seen-values.ts';
export type { Slice, SliceContext, TargetFacts } from './evaluation/slice.ts';
export type { SliceConfig } from './evaluation/slice-config.ts';
export * as slices from './evaluation/slices.ts';
export type { TargetEvents } from './evaluation/target-events.ts';
export { TIE_RULES, type TieRule } from './evaluation/tie-rules.ts';
export { visibleLength } from './evaluation/visible-length.ts';
export { type FitAndEvaluateArgs, type FittedAndEvaluated, fitAndEvaluate } from './fit-and-evaluate.ts';
export { type FitProgress, newFitProgress } from './fit-progress.ts';
export { countSteps, type FitEpoch, type FitStep, type FitWindowArgs, fitWindow } from './fit-window.ts';
export { type LearningRateConfig, learningRateAt, type ScheduleName } from './learning-rate.ts';
export {
  estimateMemory,
  estimateMemoryOfWindow,
  type MemoryEstimate,
  type MemoryEstimateArgs,
} from './memory-estimate.ts';
export { Optimizer, type OptimizerConfig, type UpdateArgs, type UpdateRule } from './optimizer.ts';
export * as optimizers from './optimizers.ts';
export { type Contender, type Reference, type RunRollingArgs, runContender, runReference } from './run-rolling.ts';
export { Plateau, type PlateauConfig, plateauSchema } from './schedules/reduce-on-plateau.ts';
export type { Schedule, SchedulePoint } from './schedules/schedule.ts';
export { type StepConfig, stepSchema } from './schedules/step.ts';
export * as schedules from './schedules.ts';
export { type HeadSummary, type ModelSummary, summarizeResults } from './summarize-results.ts';
export { columnsOfHeads } from './target-labels.ts';
export { lossAndGradients, type TrainStepArgs, trainStep } from './train-step.ts';
export type { TrainedModel } from './trained-model.ts';
export { Trainer, type TrainerOptions, type TrainerSession } from './trainer.ts';
export type {
  BestResult,
  EpochDone,
  EpochRecord,
  RunPosition,
  StepDone,
  TrainerEvent,
  TrainerListener,
  WindowDone,
  WindowResult,
  WindowStarted,
} from './trainer-events.ts';
export { type TrainingConfig, trainingSchema } from './training-schema.ts';
export { WeightAverage } from './weight-average.ts';
export { decays, WEIGHT_DECAY_GROUPS, type WeightDecayGroup } from './weight-decay-groups.ts';
