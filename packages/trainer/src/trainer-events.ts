import type { SliceResult } from './evaluation/evaluate.ts';

/** Which model, with which seed, in which step of the rolling evaluation. */
export interface RunPosition {
  /** As labelled in the experiment. */
  readonly model: string;
  readonly seed: number;
  /** 0-based step of the plan and their number. */
  readonly windowIndex: number;
  readonly numWindows: number;
  /** Ids of the windows that are learned, and of the one that is evaluated afterwards. */
  readonly trainWindows: readonly string[];
  readonly evaluateWindow: string;
}

export interface WindowStarted extends RunPosition {
  readonly type: 'windowStarted';
  readonly numSessions: number;
  readonly numEvents: number;
  /** Of the sessions, those of older windows that are trained on again. */
  readonly numReplayed: number;
  /** Items that can be recommended now, and how many of them are new. */
  readonly numItems: number;
  readonly numNewItems: number;
  /** Steps of all epochs together; 0 for models that count. */
  readonly numSteps: number;
}

export interface StepDone extends RunPosition {
  readonly type: 'stepDone';
  /** 1-based. */
  readonly epoch: number;
  readonly numEpochs: number;
  readonly step: number;
  readonly numSteps: number;
  readonly loss: number;
  readonly learningRate: number;
  /** Events that the step read, and since when this window is being learned. */
  readonly numEvents: number;
  readonly elapsedMs: number;
}

/** One line of the results: a model with a seed, trained up to a window and evaluated on the next. */
export interface WindowResult extends RunPosition {
  /** Metric label → mean over the evaluated targets. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly numTargets: number;
  /** Targets outside the vocabulary: counted as misses, never dropped. */
  readonly numUnknownTargets: number;
  /** Targets that the evaluation does not allow to recommend (seen, or no candidates): misses too. */
  readonly numExcludedTargets: number;
  /** The same metrics over parts of the targets, where the evaluation asks for slices. */
  readonly slices?: readonly SliceResult[];
  /** Metric of ranks → value of every target; kept only where models are compared target by target. */
  readonly targetValues?: Readonly<Record<string, Float64Array>>;
  /** Mean loss of the last epoch; absent for models that count. */
  readonly loss?: number;
  readonly numItems: number;
  /** Items that could be recommended in the evaluation; a reference does not tell. */
  readonly numRankedItems?: number;
  readonly numTrainEvents: number;
  readonly trainSeconds: number;
  readonly evaluateSeconds: number;
}

export interface WindowDone {
  readonly type: 'windowDone';
  /** It was done before the run was stopped; nothing was computed again. */
  readonly isRestored?: true;
  readonly result: WindowResult;
}

export type TrainerEvent = WindowStarted | StepDone | WindowDone;
export type TrainerListener = (event: TrainerEvent) => void;
