export { type ColumnProblem, explainColumns } from './inputs/explain-columns.ts';
export type { InputColumn } from './inputs/input-column.ts';
export { type InputsConfig, inputsSchema } from './inputs/inputs-schema.ts';
export { MissingTimesError } from './missing-times-error.ts';
export type { ModelSize, ModelSpec } from './model-spec.ts';
export { defaultLoss, defaultObjective, defineModel } from './model-spec.ts';
export * as models from './models.ts';
export { CarriedStates } from './neural/carried-states.ts';
export { SessionMemory } from './neural/session-memory.ts';
export { addHeads, type HeadShape, headOutput, isHeadWeight } from './neural/task-heads.ts';
export { fillNewItems, type NewItems } from './new-items.ts';
export type {
  AnyModel,
  EncodeMode,
  NeuralModel,
  NextItemModel,
  RankingOptions,
  ReplacedTokenPair,
  SessionsToCount,
  StatisticalModel,
  TargetLoss,
} from './next-item-model.ts';
export { type Initializer, ParameterStore, withoutStartingValues } from './parameter-store.ts';
export { rankAndRecommend } from './rank-and-recommend.ts';
export { hiddenAtTargets } from './rank-by-hidden.ts';
export { rankByScores, recommendByScores, type ScoreItems } from './rank-by-scores.ts';
