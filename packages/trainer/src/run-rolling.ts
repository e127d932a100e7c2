import {
  assertObjectiveFits,
  createFeaturePipeline,
  type EncodedSessions,
  type EvaluationPlan,
  type EvaluationStep,
  type FeatureConfig,
  type FeaturePipeline,
  ItemVocabulary,
  type Objective,
  objectives,
  type Sessions,
  type WindowedDataset,
} from '@nimue/data';
import type { Loss } from '@nimue/losses';
import type { AnyModel, ModelSize } from '@nimue/models';
import { deriveSeed } from '@nimue/ops';
import { checkpointsOf, restoreRun, stateOf } from './checkpoints/resume-run.ts';
import type { CheckpointOptions } from './checkpoints/run-checkpoints.ts';
import { MIN_WINDOWS_TO_COMPARE } from './compare-models.ts';
import { addItemCounts } from './count-items.ts';
import { evaluateReference } from './evaluation/evaluate-reference.ts';
import { WindowEvaluator } from './evaluation/evaluate-window.ts';
import type { EvaluationConfig } from './evaluation/evaluation-schema.ts';
import { countSteps, fitWindow } from './fit-window.ts';
import { itemFeaturesFrom } from './item-features.ts';
import { newItemsFrom } from './new-items.ts';
import { Optimizer } from './optimizer.ts';
import * as optimizers from './optimizers.ts';
import { readTrainSessions, type TrainSessions } from './train-sessions.ts';
import { type TrainedModel, trainedModelOf } from './trained-model.ts';
import type { RunPosition, TrainerListener, WindowResult } from './trainer-events.ts';
import type { TrainingConfig } from './training-schema.ts';
import { WeightAverage } from './weight-average.ts';

/** A model of the comparison: how to make it and how to train it. */
export interface Contender {
  /** Unique within the comparison. */
  readonly label: string;
  create(size: ModelSize): AnyModel;
  readonly loss: Loss;
  /** What the model is taught, and how it is asked. Default: causal. Models that count learn in their own way. */
  readonly objective?: Objective;
  readonly training: TrainingConfig;
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
 * evaluated before it is trained on that window. Carried weights keep their optimizer's state only within a window:
 * each window starts with a fresh optimizer, as the Transformers4Rec protocol does.
 *
 * @returns one result per step of the plan, in order
 */
export async function runContender(contender: Contender, args: RunRollingArgs): Promise<WindowResult[]> {
  const { dataset, plan, evaluation, features = [], seed, onEvent, signal } = args;
  assertTargetsHeldOut(evaluation, plan);
  const breathe = createBreather(signal);
  const results: WindowResult[] = [];
  let vocabulary = new ItemVocabulary();
  const evaluator = new WindowEvaluator(dataset, evaluation, args.timeZone);
  let itemCounts: Int32Array = new Int32Array(0);
  let model: AnyModel | undefined;
  let train: TrainSessions | undefined;
  let pipeline: FeaturePipeline | undefined;
  let itemFeatures: EncodedSessions['features'];
  let fittedWindows: number[] = [];
  const { training } = contender;
  const optimizer = new Optimizer(optimizers[training.optimizer](training), training.weightDecayOn);
  const average = training.averageDecay === undefined ? undefined : new WeightAverage(training.averageDecay);
  const checkpoints = checkpointsOf(contender, args);
  const resumed = checkpoints?.load();
  try {
    for (const [windowIndex, step] of plan.steps.entries()) {
      const position = positionOf(contender.label, seed, windowIndex, step, args);
      const started = performance.now();
      if (!step.carryWeights) {
        model?.dispose();
        model = undefined;
        average?.restart();
        optimizer.restart();
        vocabulary = new ItemVocabulary();
        itemFeatures = undefined;
        fittedWindows = [];
        itemCounts = new Int32Array(0);
        pipeline = features.length > 0 ? await createFeaturePipeline(features) : undefined;
        evaluator.restart();
      }
      fittedWindows.push(...step.trainWindows);
      train?.dispose();
      const { maxEventsInMemory } = contender.training;
      const replay = step.replay && { ...step.replay, seed: deriveSeed(seed, step.evaluateWindow) };
      train = await readTrainSessions(dataset, step.trainWindows, vocabulary, maxEventsInMemory, pipeline, replay);
      const { numSessions, numEvents, numReplayed, numNewItems } = train;
      const { encodedWindows } = train;
      if (model) {
        const newItems = await newItemsFrom(contender.training.newItems, model.numRows, encodedWindows);
        model.resizeItems(vocabulary.size, newItems);
        if (model.kind === 'neural') model.resizeFeatures?.(pipeline?.outputs() ?? []);
      }
      model ??= contender.create({ numRows: vocabulary.size, seed, features: pipeline?.outputs() });
      if (model.kind === 'neural' && model.setItemFeatures) {
        itemFeatures = await itemFeaturesFrom(vocabulary.size, encodedWindows, itemFeatures);
        model.setItemFeatures(itemFeatures);
      }
      const objective = objectiveOf(contender, model);
      if (model.kind === 'neural') {
        itemCounts = await addItemCounts(itemCounts, train, vocabulary.size);
      }
      const fit =
        model.kind === 'neural' && numSessions > 0
          ? {
              model,
              objective,
              sessions: train.sessions,
              itemCounts,
              config: !step.carryWeights ? { ...training, epochs: training.baseEpochs ?? training.epochs } : training,
              seed: deriveSeed(seed, step.evaluateWindow),
            }
          : undefined;
      await evaluator.addStep(train, step.trainWindows, vocabulary.size);
      const parts = { model, optimizer, average, vocabulary };
      if (resumed && windowIndex <= resumed.windowIndex) {
        if (model.kind === 'statistical') for await (const window of encodedWindows()) model.fitWindow(window);
        if (windowIndex === resumed.windowIndex) restoreRun(parts, resumed);
        results.push(resumed.results[windowIndex]);
        onEvent?.({ type: 'windowDone', result: resumed.results[windowIndex], isRestored: true });
        await breathe();
        continue;
      }
      onEvent?.({
        type: 'windowStarted',
        ...position,
        numSessions,
        numEvents,
        numReplayed,
        numItems: vocabulary.numItems,
        numNewItems,
        numSteps: fit ? countSteps(fit) : 0,
      });
      let loss: number | undefined;
      if (model.kind === 'statistical') {
        for await (const window of train.encodedWindows()) model.fitWindow(window);
      } else if (fit) {
        if (!training.carryOptimizer) optimizer.restart();
        loss = await fitWindow({
          ...fit,
          loss: contender.loss,
          optimizer,
          average,
          place: { windowIndex, numWindows: plan.steps.length },
          window: position.trainWindows.join(' … '),
          breathe,
          onStep: (fitStep) =>
            onEvent?.({
              type: 'stepDone',
              ...position,
              ...fitStep,
              elapsedMs: performance.now() - started,
            }),
        });
      }
      const trained = performance.now();
      if (model.kind === 'neural') average?.swapIn(model.parameters);
      const { maxLength } = training;
      const window = step.evaluateWindow;
      const evaluated = await evaluator.evaluate({
        model,
        vocabulary,
        objective,
        maxLength,
        pipeline,
        window,
        breathe,
      });
      if (model.kind === 'neural') average?.swapOut(model.parameters);
      const result: WindowResult = {
        ...position,
        metrics: evaluated.metrics,
        numTargets: evaluated.ranks.length,
        numUnknownTargets: evaluated.numUnknownTargets,
        numExcludedTargets: evaluated.numExcludedTargets,
        ...(evaluated.slices.length > 0 && { slices: evaluated.slices }),
        ...(plan.steps.length < MIN_WINDOWS_TO_COMPARE && { targetValues: evaluated.values }),
        ...(loss !== undefined && { loss }),
        numItems: vocabulary.numItems,
        numRankedItems: evaluated.numRankedItems,
        numTrainEvents: numEvents,
        trainSeconds: (trained - started) / 1000,
        evaluateSeconds: (performance.now() - trained) / 1000,
      };
      results.push(result);
      checkpoints?.save(stateOf(parts, windowIndex, results));
      onEvent?.({ type: 'windowDone', result });
      await breathe();
    }
    if (model && args.onTrained) {
      const { label } = contender;
      const { maxLength } = training;
      const parts = {
        label,
        seed,
        model,
        objective: objectiveOf(contender, model),
        vocabulary,
        pipeline,
        itemFeatures,
      };
      if (model.kind === 'neural') average?.swapIn(model.parameters);
      try {
        await args.onTrained(trainedModelOf({ ...parts, maxLength }, dataset, fittedWindows));
      } finally {
        if (model.kind === 'neural') average?.swapOut(model.parameters);
      }
    }
  } finally {
    train?.dispose();
    model?.dispose();
    optimizer.dispose();
  }
  return results;
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
function assertTargetsHeldOut({ positions }: EvaluationConfig, { onlyLast }: EvaluationPlan): void {
  if (positions === 'last' || !onlyLast) return;
  throw new Error(
    "evaluation.positions: 'every' would ask for events that were trained on, since the windows' policy holds out the last event of a sequence alone; choose 'last', or a policy of whole windows such as incremental",
  );
}

/** @throws when the model would see what it is to predict */
function objectiveOf({ objective = objectives.causal.create({}), label }: Contender, model: AnyModel): Objective {
  if (model.kind === 'statistical') return objectives.lastItem.create({});
  assertObjectiveFits(objective, model.attention ?? 'causal', label);
  if (objective.name === 'replacedToken' && !model.trainingLoss) {
    throw new Error(
      `${label}: the objective 'replacedToken' needs a model with a discriminator, such as electra; choose 'masked' for this one`,
    );
  }
  return objective;
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
