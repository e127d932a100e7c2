import type { RecommendedLists } from '@nimue/metrics';
import type { EarlierResult } from './evaluation/earlier-windows.ts';
import type { SliceResult } from './evaluation/evaluate.ts';
import type { HeadResult } from './evaluation/head-record.ts';
import type { MemoryEstimate } from './memory-estimate.ts';

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

/** What there is to say of an epoch that is over. */
export interface EpochRecord {
  /** 1-based. */
  readonly epoch: number;
  /** Steps of the window that were done at its end. */
  readonly step: number;
  /** Mean over the targets of the epoch. */
  readonly loss: number;
  /** Of its last step. */
  readonly learningRate: number;
  /** That its steps read. */
  readonly numEvents: number;
  /** Metrics on the valid part of the window that is evaluated next, where `earlyStopping` or `keepBest` asks for them. */
  readonly validation: Readonly<Record<string, number>>;
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
  /** What the training will take, with the first window that is trained. */
  readonly memory?: MemoryEstimate;
  /** Epochs of the window that were over when the run was stopped; training goes on after them. */
  readonly epochsBefore?: readonly EpochRecord[];
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
  /** What the step read, and since when this window is being learned. */
  readonly numSessions: number;
  readonly numEvents: number;
  readonly elapsedMs: number;
}

/** The end of an epoch. */
export interface EpochDone extends RunPosition, EpochRecord {
  readonly type: 'epochDone';
  readonly numEpochs: number;
  readonly numSteps: number;
  /** Of `earlyStopping` and `keepBest`, the metrics that were never better in this window. */
  readonly improved: readonly string[];
  /** Further epochs are left out. */
  readonly stopsEarly: boolean;
}

/** The best epoch of a window by one metric. */
export interface BestResult {
  readonly metric: string;
  /** 1-based. */
  readonly epoch: number;
  /** The metric on the valid part, by which the epoch was chosen. */
  readonly value: number;
  /** What that epoch's weights reach on the evaluated part. */
  readonly metrics: Readonly<Record<string, number>>;
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
  /** What the model's other heads are worth, where its loss has some. */
  readonly heads?: readonly HeadResult[];
  /** Metric of ranks → value of every target; kept only where models are compared target by target. */
  readonly targetValues?: Readonly<Record<string, Float64Array>>;
  /** What was recommended in the last window [N · k], where the models' lists are compared with one another. */
  readonly lists?: RecommendedLists;
  /** Mean loss of the last epoch; absent for models that count. */
  readonly loss?: number;
  /** Epochs that were taken, fewer than asked for where training stopped early. */
  readonly numEpochs?: number;
  /** Every epoch, also those before a run was stopped and resumed; absent for models that count. */
  readonly epochs?: readonly EpochRecord[];
  /** The best epochs that `training.keepBest` asks for. */
  readonly best?: readonly BestResult[];
  /** Windows that the model learned before, where `evaluation.earlierWindows` asks for them. */
  readonly earlier?: readonly EarlierResult[];
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

export type TrainerEvent = WindowStarted | StepDone | EpochDone | WindowDone;
export type TrainerListener = (event: TrainerEvent) => void;
