export { DivergenceError } from './divergence-error.ts';
export { type EvaluateOptions, type Evaluation, evaluate, evaluationBatches, visibleLength } from './evaluate.ts';
export { type EvaluationConfig, evaluationSchema } from './evaluation-schema.ts';
export { countSteps, type FitStep, type FitWindowArgs, fitWindow } from './fit-window.ts';
export { type LearningRateConfig, learningRateAt, type Schedule } from './learning-rate.ts';
export { Optimizer, type OptimizerConfig, type UpdateArgs, type UpdateRule } from './optimizer.ts';
export * as optimizers from './optimizers.ts';
export { type Contender, type Reference, type RunRollingArgs, runContender, runReference } from './run-rolling.ts';
export { type ModelSummary, summarizeResults } from './summarize-results.ts';
export { lossAndGradients, type TrainStepArgs, trainStep } from './train-step.ts';
export type {
  RunPosition,
  StepDone,
  TrainerEvent,
  TrainerListener,
  WindowDone,
  WindowResult,
  WindowStarted,
} from './trainer-events.ts';
export { type TrainingConfig, trainingSchema } from './training-schema.ts';
