import type { EvaluationPlan, EvaluationStep, FeatureConfig, Objective, Sessions, WindowedDataset } from '@nimue/data';
import type { Loss } from '@nimue/losses';
import type { AnyModel, ModelSize } from '@nimue/models';
import type { CheckpointOptions } from './checkpoints/run-checkpoints.ts';
import { MIN_WINDOWS_TO_COMPARE } from './compare-models.ts';
import { ContenderRun } from './contender-run.ts';
import { evaluateReference } from './evaluation/evaluate-reference.ts';
import type { EvaluationConfig } from './evaluation/evaluation-schema.ts';
import type { TrainedModel } from './trained-model.ts';
import type { RunPosition, TrainerListener, WindowResult } from './trainer-events.ts';
import type { TrainingConfig } from './training-schema.ts';

/** A model of the comparison: how to make it and how to train it. */
export interface Contender {
  /** Unique within the comparison. */
  readonly label: string;
  create(size: ModelSize): AnyModel;
  readonly loss: Loss;
  /** What the model is taught, and how it is asked. Default: causal. Models that count learn in their own way. */
  readonly objective?: Objective;
  readonly training: TrainingConfig;
  /** What the model, the loss and the objective were made with: a checkpoint of another configuration is refused. */
  readonly config?: unknown;
}

/** A row that is computed from the sessions alone, such as the generator's own probabilities. */
export interface Reference {
  readonly label: string;
  /** Ranks [S] of the last item of every session. */
  rankSessions(sessions: Sessions): Int32Array;
}

export interface RunRollingArgs {
  readonly dataset: WindowedDataset;
  readonly plan: EvaluationPlan;
  readonly evaluation: EvaluationConfig;
  /** IANA name of the zone in which the evaluation tells hours. Default UTC. */
  readonly timeZone?: string;
  /** Made of the events of every batch, fitted on train windows only. Default: none. */
  readonly features?: readonly FeatureConfig[];
  readonly seed: number;
  readonly onEvent?: TrainerListener;
  /** Called with the model of the last window, evaluated and about to be disposed. */
  readonly onTrained?: (trained: TrainedModel) => Promise<void>;
  /** Keeps every window that is done, so that a run that was stopped at any moment goes on and ends with the same bits. */
  readonly checkpoints?: CheckpointOptions;
  /** Stops between two steps; the promise is then rejected with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Trains one model through the windows of a plan and evaluates it on the window after each.
 *
 * Nothing that is fitted sees the evaluated window: the vocabulary grows from train windows only, and a model is
 * evaluated before it is trained on that window. Each window starts with a fresh optimizer, as the Transformers4Rec protocol
 * does, unless `training.carryOptimizer` says otherwise.
 *
 * @returns one result per step of the plan, in order
 * @throws DivergenceError when a loss is not finite or explodes; CheckpointError when a checkpoint cannot be used
 */
export async function runContender(contender: Contender, args: RunRollingArgs): Promise<WindowResult[]> {
  const { plan, evaluation, seed, signal } = args;
  assertTargetsHeldOut(evaluation, plan);
  const run = new ContenderRun(contender, args, createBreather(signal));
  try {
    for (const [windowIndex, step] of plan.steps.entries()) {
      await run.takeStep(windowIndex, step, positionOf(contender.label, seed, windowIndex, step, args));
    }
    await run.handOver();
    await run.settled();
    return run.results;
  } finally {
    await run.dispose();
  }
}

/** Evaluates a reference on the same sessions as the models, step by step. */
export async function runReference(reference: Reference, args: RunRollingArgs): Promise<WindowResult[]> {
  const { dataset, plan, evaluation, seed, onEvent, signal } = args;
  const breathe = createBreather(signal);
  const results: WindowResult[] = [];
  assertTargetsHeldOut(evaluation, plan);
  for (const [windowIndex, step] of plan.steps.entries()) {
    const started = performance.now();
    const sessions = await dataset.read(step.evaluateWindow, evaluation.split);
    const { metrics, numTargets, values } = evaluateReference(reference, sessions, evaluation, dataset.texts);
    const result: WindowResult = {
      ...positionOf(reference.label, seed, windowIndex, step, args),
      metrics,
      numTargets,
      numUnknownTargets: 0,
      numExcludedTargets: 0,
      ...(plan.steps.length < MIN_WINDOWS_TO_COMPARE && { targetValues: values }),
      numItems: dataset.numRawItems,
      numTrainEvents: 0,
      trainSeconds: 0,
      evaluateSeconds: (performance.now() - started) / 1000,
    };
    results.push(result);
    onEvent?.({ type: 'windowDone', result });
    await breathe();
  }
  return results;
}

/** @throws when events that were trained on would be asked for */
function assertTargetsHeldOut({ positions, earlierWindows }: EvaluationConfig, { onlyLast }: EvaluationPlan): void {
  if (earlierWindows !== undefined && onlyLast) {
    throw new Error(
      "evaluation.earlierWindows asks about windows that were learned, but the windows' policy holds out the end of sequences and has none; leave it out",
    );
  }
  if (positions === 'last' || !onlyLast) return;
  throw new Error(
    "evaluation.positions: 'every' would ask for events that were trained on, since the windows' policy holds out the last event of a sequence alone; choose 'last', or a policy of whole windows such as incremental",
  );
}

function positionOf(
  model: string,
  seed: number,
  windowIndex: number,
  step: EvaluationStep,
  { dataset, plan }: RunRollingArgs,
): RunPosition {
  return {
    model,
    seed,
    windowIndex,
    numWindows: plan.steps.length,
    trainWindows: step.trainWindows.map((window) => dataset.windows[window].id),
    evaluateWindow: dataset.windows[step.evaluateWindow].id,
  };
}

/** Gives the event loop a turn at most every 50 ms, so that signals and progress get through, and stops when asked. */
function createBreather(signal?: AbortSignal): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last > 50) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      last = performance.now();
    }
    signal?.throwIfAborted();
  };
}
