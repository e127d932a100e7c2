import {
  assertObjectiveFits,
  createFeaturePipeline,
  type EncodedSessions,
  type EvaluationStep,
  type FeaturePipeline,
  ItemVocabulary,
  type Objective,
  objectives,
} from '@nimue/data';
import { type AnyModel, addHeads, type NeuralModel } from '@nimue/models';
import { deriveSeed } from '@nimue/ops';
import { checkpointsOf, type RunParts, restoreRun, stateOf } from './checkpoints/resume-run.ts';
import type { RunCheckpoints } from './checkpoints/run-checkpoints.ts';
import type { RunState } from './checkpoints/run-state.ts';
import { MIN_WINDOWS_TO_COMPARE } from './compare-models.ts';
import { DivergenceError } from './divergence-error.ts';
import { earlierResults } from './evaluation/earlier-windows.ts';
import type { Evaluation } from './evaluation/evaluate.ts';
import { WindowEvaluator } from './evaluation/evaluate-window.ts';
import { type FitProgress, newFitProgress } from './fit-progress.ts';
import { countSteps, type FitEpoch, type FitWindowArgs, fitWindow } from './fit-window.ts';
import { itemFeaturesFrom } from './item-features.ts';
import { addItemHistory, NO_HISTORY } from './item-history.ts';
import { estimateMemoryOfWindow, type MemoryEstimate } from './memory-estimate.ts';
import { newItemsFrom } from './new-items.ts';
import { Optimizer } from './optimizer.ts';
import * as optimizers from './optimizers.ts';
import type { Contender, RunRollingArgs } from './run-rolling.ts';
import { evaluatedWeights, putSnapshot, takeSnapshot } from './snapshot.ts';
import { TargetLabels } from './target-labels.ts';
import { readTrainSessions, type TrainSessions } from './train-sessions.ts';
import { trainedModelOf } from './trained-model.ts';
import type { BestResult, RunPosition, WindowResult } from './trainer-events.ts';
import { WeightAverage } from './weight-average.ts';
import { WindowValidation } from './window-validation.ts';

/** One model with one seed on its way through the windows of a plan. Dispose it. */
export class ContenderRun {
  readonly results: WindowResult[] = [];
  readonly #contender: Contender;
  readonly #args: RunRollingArgs;
  readonly #breathe: () => Promise<void>;
  readonly #evaluator: WindowEvaluator;
  readonly #optimizer: Optimizer;
  readonly #average: WeightAverage | undefined;
  readonly #validation: WindowValidation;
  readonly #checkpoints: RunCheckpoints | undefined;
  readonly #resumed: RunState | undefined;
  #vocabulary = new ItemVocabulary();
  #itemHistory = NO_HISTORY;
  #model: AnyModel | undefined;
  #train: TrainSessions | undefined;
  #pipeline: FeaturePipeline | undefined;
  #labels: TargetLabels | undefined;
  #itemFeatures: EncodedSessions['features'];
  #fittedWindows: number[] = [];
  #hasEstimated = false;

  /** @throws CheckpointError when the run is to be resumed from a file that cannot be used */
  constructor(contender: Contender, args: RunRollingArgs, breathe: () => Promise<void>) {
    const { training } = contender;
    this.#contender = contender;
    this.#labels = labelsFor(contender);
    this.#args = args;
    this.#breathe = breathe;
    this.#evaluator = new WindowEvaluator(args.dataset, args.evaluation, args.timeZone);
    this.#optimizer = new Optimizer(optimizers[training.optimizer](training), training.weightDecayOn);
    this.#average = training.averageDecay === undefined ? undefined : new WeightAverage(training.averageDecay);
    this.#validation = new WindowValidation(training);
    this.#checkpoints = checkpointsOf(contender, args);
    this.#resumed = this.#checkpoints?.load();
  }

  /** Trains and evaluates one step of the plan, or takes it from the checkpoint. */
  async takeStep(windowIndex: number, step: EvaluationStep, position: RunPosition): Promise<void> {
    const { seed, onEvent } = this.#args;
    const started = performance.now();
    if (!step.carryWeights) await this.#startFromScratch();
    this.#fittedWindows.push(...step.trainWindows);
    const train = await this.#read(step);
    const model = await this.#modelFor(train);
    const resumed = this.#resumed;
    const isGoneOnWith = resumed?.windowIndex === windowIndex && resumed.progress !== undefined;
    const secondsBefore = isGoneOnWith ? resumed.trainSeconds : 0;
    const place: StepPlace = {
      windowIndex,
      step,
      position,
      windowSeed: deriveSeed(seed, step.evaluateWindow),
      trainSeconds: () => secondsBefore + (performance.now() - started) / 1000,
    };
    if (resumed && (windowIndex < resumed.windowIndex || (windowIndex === resumed.windowIndex && !resumed.progress))) {
      await this.#takeFromCheckpoint(model, train, windowIndex, resumed);
      return;
    }
    const fit = this.#planFit(model, train, place);
    const memory = fit && this.#estimateOnce(fit);
    const epochsBefore = isGoneOnWith ? (resumed.progress?.epochs ?? []) : [];
    onEvent?.({
      type: 'windowStarted',
      ...position,
      numSessions: train.numSessions,
      numEvents: train.numEvents,
      numReplayed: train.numReplayed,
      numItems: this.#vocabulary.numItems,
      numNewItems: train.numNewItems,
      numSteps: fit ? countSteps(fit) : 0,
      ...(memory && { memory }),
      ...(epochsBefore.length > 0 && { epochsBefore: [...epochsBefore] }),
    });
    const progress = fit && this.#beginFit(model, windowIndex);
    try {
      if (model.kind === 'statistical') for await (const window of train.encodedWindows()) model.fitWindow(window);
      if (fit && progress) await this.#fit(fit, progress, place, started);
      const trainSeconds = place.trainSeconds();
      const trained = performance.now();
      const result = await this.#evaluate(model, train, place, progress);
      this.results.push({
        ...result,
        trainSeconds,
        evaluateSeconds: (performance.now() - trained) / 1000,
      });
    } catch (error) {
      if (fit && progress && this.#args.signal?.aborted && error === this.#args.signal.reason) {
        // Stopped between two steps, or while weights stood still: what is learned so far is kept.
        await this.#save(model, place, progress);
      }
      throw error;
    }
    await this.#save(model, place);
    onEvent?.({ type: 'windowDone', result: this.results[windowIndex] });
    await this.#breathe();
  }

  /** Gives the model of the last window to whoever wants it. */
  async handOver(): Promise<void> {
    const { onTrained, seed, dataset } = this.#args;
    const model = this.#model;
    if (!model || !onTrained) return;
    const { label, training } = this.#contender;
    const parts = {
      label,
      seed,
      model,
      objective: objectiveOf(this.#contender, model),
      vocabulary: this.#vocabulary,
      pipeline: this.#pipeline,
      itemFeatures: this.#itemFeatures,
      maxLength: training.maxLength,
    };
    await this.#withAverage(model, () => onTrained(trainedModelOf(parts, dataset, this.#fittedWindows)));
  }

  /** Resolves when all checkpoints are on disk. @throws what went wrong with them */
  async settled(): Promise<void> {
    await this.#checkpoints?.settled();
  }

  async dispose(): Promise<void> {
    this.#train?.dispose();
    this.#model?.dispose();
    this.#optimizer.dispose();
    // What `settled` has not told is not worth more than the error that brought us here.
    await this.#checkpoints?.settled().catch(() => {});
  }

  async #startFromScratch(): Promise<void> {
    const { features = [] } = this.#args;
    this.#model?.dispose();
    this.#model = undefined;
    this.#average?.restart();
    this.#optimizer.restart();
    this.#vocabulary = new ItemVocabulary();
    this.#itemFeatures = undefined;
    this.#fittedWindows = [];
    this.#itemHistory = NO_HISTORY;
    this.#labels = labelsFor(this.#contender);
    this.#pipeline = features.length > 0 ? await createFeaturePipeline(features) : undefined;
    this.#evaluator.restart();
  }

  async #read({ trainWindows, evaluateWindow, replay }: EvaluationStep): Promise<TrainSessions> {
    const { dataset, seed } = this.#args;
    this.#train?.dispose();
    this.#train = await readTrainSessions(
      dataset,
      trainWindows,
      this.#vocabulary,
      this.#contender.training.maxEventsInMemory,
      { pipeline: this.#pipeline, labels: this.#labels },
      replay && { ...replay, seed: deriveSeed(seed, evaluateWindow) },
    );
    await this.#evaluator.addStep(this.#train, trainWindows, this.#vocabulary);
    return this.#train;
  }

  /** The model, grown by the items and values that the step brought. */
  async #modelFor({ encodedWindows }: TrainSessions): Promise<AnyModel> {
    const numRows = this.#vocabulary.size;
    if (this.#model) {
      const newItems = await newItemsFrom(this.#contender.training.newItems, this.#model.numRows, encodedWindows);
      this.#model.resizeItems(numRows, newItems);
      if (this.#model.kind === 'neural') this.#model.resizeFeatures?.(this.#pipeline?.outputs() ?? []);
    }
    const { seed } = this.#args;
    if (!this.#model) {
      this.#model = this.#contender.create({ numRows, seed, features: this.#pipeline?.outputs() });
      if (this.#labels && this.#model.kind === 'neural') addHeads(this.#model, this.#labels.heads);
    }
    const model = this.#model;
    if (model.kind === 'neural') {
      if (model.setItemFeatures) {
        this.#itemFeatures = await itemFeaturesFrom(numRows, encodedWindows, this.#itemFeatures);
        model.setItemFeatures(this.#itemFeatures);
      }
      this.#itemHistory = await addItemHistory(this.#itemHistory, { encodedWindows }, numRows);
    }
    return model;
  }

  async #takeFromCheckpoint(
    model: AnyModel,
    train: TrainSessions,
    windowIndex: number,
    resumed: RunState,
  ): Promise<void> {
    if (model.kind === 'statistical') for await (const window of train.encodedWindows()) model.fitWindow(window);
    if (windowIndex === resumed.windowIndex) restoreRun(this.#partsOf(model), resumed);
    const result = resumed.results[windowIndex];
    this.results.push(result);
    this.#args.onEvent?.({ type: 'windowDone', result, isRestored: true });
    await this.#breathe();
  }

  /** What `fitWindow` is called with; undefined when nothing is trained in the step. */
  #planFit(model: AnyModel, train: TrainSessions, { step, windowSeed }: StepPlace): PlannedFit | undefined {
    const objective = objectiveOf(this.#contender, model);
    if (model.kind !== 'neural' || train.numSessions === 0) return undefined;
    const { training } = this.#contender;
    return {
      model,
      objective,
      sessions: train.sessions,
      itemHistory: this.#itemHistory,
      config: step.carryWeights ? training : { ...training, epochs: training.baseEpochs ?? training.epochs },
      seed: windowSeed,
    };
  }

  /** Said before the first training of the run. */
  #estimateOnce(fit: PlannedFit): MemoryEstimate | undefined {
    if (this.#hasEstimated || !this.#args.onEvent) return undefined;
    this.#hasEstimated = true;
    const numCopies = this.#validation.watched.length + (this.#checkpoints ? 1 : 0);
    return estimateMemoryOfWindow({ ...fit, loss: this.#contender.loss }, this.#optimizer.numStates, numCopies);
  }

  /** The beginning of the window's training, or the moment in its midst that the checkpoint holds. */
  #beginFit(model: AnyModel, windowIndex: number): FitProgress {
    this.#validation.restart();
    if (!this.#contender.training.carryOptimizer) this.#optimizer.restart();
    const resumed = this.#resumed;
    if (!resumed?.progress || resumed.windowIndex !== windowIndex) return newFitProgress();
    restoreRun(this.#partsOf(model), resumed);
    return resumed.progress;
  }

  async #fit(fit: PlannedFit, progress: FitProgress, place: StepPlace, started: number): Promise<void> {
    const { plan, onEvent } = this.#args;
    const { windowIndex, position } = place;
    const { earlyStopping } = this.#contender.training;
    try {
      await fitWindow({
        ...fit,
        loss: this.#contender.loss,
        optimizer: this.#optimizer,
        average: this.#average,
        place: { windowIndex, numWindows: plan.steps.length },
        window: position.trainWindows.join(' … '),
        progress,
        onStep: (step) => onEvent?.({ type: 'stepDone', ...position, ...step, elapsedMs: performance.now() - started }),
        breathe: async () => {
          if (this.#checkpoints?.isDue) await this.#save(fit.model, place, progress);
          await this.#breathe();
        },
        onEpoch: (epoch) => this.#validate(fit.model, epoch, place, progress),
      });
    } catch (error) {
      throw error instanceof DivergenceError ? this.#keepDiverged(error, fit.model) : error;
    }
    const best = earlyStopping && this.#validation.best.get(earlyStopping.metric);
    if (best) putSnapshot(this.#trainedParts(fit.model), best.snapshot);
  }

  /** @returns whether training stops */
  async #validate(
    model: NeuralModel,
    { isLast, numEpochs, numSteps, ...epoch }: FitEpoch,
    place: StepPlace,
    progress: FitProgress,
  ): Promise<boolean> {
    const measure = async (metrics: readonly string[]) => {
      const window = place.step.evaluateWindow;
      const { id } = this.#args.dataset.windows[window];
      try {
        const { metrics: measured } = await this.#withAverage(model, () =>
          this.#evaluator.evaluate({ ...this.#questionsOf(model), window, only: { split: 'valid', metrics } }),
        );
        return Object.fromEntries(metrics.map((metric, m) => [metric, Object.values(measured)[m]]));
      } catch (error) {
        if (!(error instanceof Error) || !/nothing to predict/.test(error.message)) throw error;
        throw new Error(
          `training.earlyStopping and keepBest look at the valid part of window ${id}, where ${error.message.replace(/^evaluate: /, '')}; set split.validShare above 0`,
          { cause: error },
        );
      }
    };
    const take = () => takeSnapshot(this.#trainedParts(model));
    const { metrics, improved, stops } = await this.#validation.observe({ ...epoch, isLast }, measure, take);
    for (const metric of improved) {
      if (!this.#contender.training.keepBest?.includes(metric)) continue;
      const state = stateOf(this.#partsOf(model), { ...placeOf(place), results: this.results });
      await this.#checkpoints?.saveBest(metric, { ...state, best: new Map() });
    }
    const record = { ...epoch, validation: metrics };
    progress.epochs.push(record);
    const stopsEarly = stops && !isLast;
    const whole = { ...place.position, ...record, numEpochs, numSteps };
    this.#args.onEvent?.({ type: 'epochDone', ...whole, improved, stopsEarly });
    return stops;
  }

  async #evaluate(
    model: AnyModel,
    train: TrainSessions,
    { step, position }: StepPlace,
    progress: FitProgress | undefined,
  ): Promise<Omit<WindowResult, 'trainSeconds' | 'evaluateSeconds'>> {
    const { plan } = this.#args;
    const evaluate = (window: number) => this.#evaluator.evaluate({ ...this.#questionsOf(model), window });
    const evaluated = await this.#withAverage(model, () => evaluate(step.evaluateWindow));
    const best = model.kind === 'neural' ? await this.#evaluateBest(model, step.evaluateWindow) : [];
    const earlier = await this.#withAverage(model, () =>
      earlierResults(this.#args, this.#fittedWindows, this.results, (window) =>
        this.#evaluator.evaluate({ ...this.#questionsOf(model), window, only: { slices: [] } }),
      ),
    );
    return {
      ...position,
      ...outcomeOf(evaluated),
      ...(evaluated.slices.length > 0 && { slices: evaluated.slices }),
      ...(evaluated.heads && { heads: evaluated.heads }),
      ...(evaluated.lists && position.windowIndex === plan.steps.length - 1 && { lists: evaluated.lists }),
      ...(plan.steps.length < MIN_WINDOWS_TO_COMPARE && { targetValues: evaluated.values }),
      ...(progress?.meanLoss !== undefined && { loss: progress.meanLoss }),
      ...(progress && { numEpochs: progress.epoch }),
      ...(progress && progress.epochs.length > 0 && { epochs: progress.epochs }),
      ...(best.length > 0 && { best }),
      ...(earlier.length > 0 && { earlier }),
      numItems: this.#vocabulary.numItems,
      numRankedItems: evaluated.numRankedItems,
      numTrainEvents: train.numEvents,
    };
  }

  /** The metrics that the best moments of the window reach, each chosen on the valid part. */
  async #evaluateBest(model: NeuralModel, window: number): Promise<BestResult[]> {
    const found: BestResult[] = [];
    const parts = this.#trainedParts(model);
    for (const metric of this.#contender.training.keepBest ?? []) {
      const best = this.#validation.best.get(metric);
      if (!best) continue;
      const own = parts.parameters.read();
      parts.parameters.write(evaluatedWeights(best.snapshot));
      try {
        const { metrics } = await this.#evaluator.evaluate({
          ...this.#questionsOf(model),
          window,
          only: { slices: [] },
        });
        found.push({ metric, epoch: best.epoch, value: best.value, metrics });
      } finally {
        parts.parameters.write(own);
      }
    }
    return found;
  }

  #questionsOf(model: AnyModel) {
    return {
      model,
      label: this.#contender.label,
      labels: this.#labels,
      vocabulary: this.#vocabulary,
      objective: objectiveOf(this.#contender, model),
      maxLength: this.#contender.training.maxLength,
      pipeline: this.#pipeline,
      breathe: this.#breathe,
    };
  }

  async #withAverage<T>(model: AnyModel, act: () => Promise<T>): Promise<T> {
    if (model.kind === 'neural') this.#average?.swapIn(model.parameters);
    try {
      return await act();
    } finally {
      if (model.kind === 'neural') this.#average?.swapOut(model.parameters);
    }
  }

  /** @param progress absent when the window is done */
  async #save(model: AnyModel, place: StepPlace, progress?: FitProgress): Promise<void> {
    if (!this.#checkpoints) return;
    const results = progress ? this.results.slice(0, place.windowIndex) : this.results;
    await this.#checkpoints.save(stateOf(this.#partsOf(model), { ...placeOf(place), progress, results }));
  }

  #keepDiverged({ divergence }: DivergenceError, { parameters }: NeuralModel): DivergenceError {
    const weights = [...parameters.read()].map(
      ([name, values]) => [name, { shape: parameters.variable(name).shape, values }] as const,
    );
    const where = { ...divergence, model: this.#contender.label };
    return new DivergenceError(where, this.#checkpoints?.saveDiverged(where, new Map(weights)));
  }

  #trainedParts({ parameters }: NeuralModel) {
    return { parameters, optimizer: this.#optimizer, average: this.#average };
  }

  #partsOf(model: AnyModel): RunParts {
    return {
      model,
      optimizer: this.#optimizer,
      average: this.#average,
      vocabulary: this.#vocabulary,
      pipeline: this.#pipeline,
      validation: this.#validation,
    };
  }
}

type PlannedFit = Pick<FitWindowArgs, 'model' | 'objective' | 'sessions' | 'itemHistory' | 'config' | 'seed'>;

interface StepPlace {
  readonly windowIndex: number;
  readonly step: EvaluationStep;
  readonly position: RunPosition;
  readonly windowSeed: number;
  /** So far, those before the run was stopped included. */
  readonly trainSeconds: () => number;
}

function placeOf({ windowIndex, windowSeed, trainSeconds }: StepPlace) {
  return { windowIndex, windowSeed, trainSeconds: trainSeconds() };
}

function outcomeOf({ metrics, ranks, numUnknownTargets, numExcludedTargets }: Evaluation) {
  return { metrics, numTargets: ranks.length, numUnknownTargets, numExcludedTargets };
}

/** Labels of the loss's heads; undefined without any. @throws when training cannot carry labels */
function labelsFor({ loss, training, label }: Contender): TargetLabels | undefined {
  const { heads = [] } = loss;
  if (heads.length === 0) return undefined;
  if (training.sessionParallel) {
    throw new Error(
      `${label}: training.sessionParallel carries no labels, which the head '${heads[0].name}' of the loss is taught; leave one of them out`,
    );
  }
  return new TargetLabels(heads);
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
