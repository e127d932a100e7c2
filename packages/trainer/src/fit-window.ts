import type { SessionBatch } from '@nimue/batch';
import {
  BatchPrefetcher,
  countBatches,
  type EncodedSessions,
  longestSeen,
  type Objective,
  objectives,
  type PackBatchesOptions,
  packBatches,
  type SpilledSessions,
} from '@nimue/data';
import type { ItemHistory, Loss } from '@nimue/losses';
import { CarriedStates, type NeuralModel } from '@nimue/models';
import { deriveSeed } from '@nimue/ops';
import { DivergenceError } from './divergence-error.ts';
import { visibleLength } from './evaluation/visible-length.ts';
import { type FitProgress, newFitProgress } from './fit-progress.ts';
import { assertSessionParallel, countLaneBatches, type LaneBatch, laneBatches } from './fit-session-parallel.ts';
import { learningRateAt } from './learning-rate.ts';
import type { Optimizer } from './optimizer.ts';
import { Plateau, plateauSchema } from './schedules/reduce-on-plateau.ts';
import { trainStep, weightOfTargets } from './train-step.ts';
import type { TrainingConfig } from './training-schema.ts';
import type { WeightAverage } from './weight-average.ts';

export interface FitWindowArgs {
  readonly model: NeuralModel;
  readonly loss: Loss;
  /** What the model is taught. */
  readonly objective: Objective;
  readonly optimizer: Optimizer;
  /** In memory or in a file: the batches are the same. */
  readonly sessions: EncodedSessions | SpilledSessions;
  readonly config: TrainingConfig;
  /** Seeds the order of sessions, the objective's and the loss's draws and every dropout of this window. */
  readonly seed: number;
  /** Moving average of the weights, told of every step. */
  readonly average?: WeightAverage;
  /** Which window of how many this is, for a schedule over the whole run. */
  readonly place?: { readonly windowIndex: number; readonly numWindows: number };
  /** Of the train windows so far, for losses that draw or choose items by it. */
  readonly itemHistory?: ItemHistory;
  /** For messages. */
  readonly window: string;
  /** Where to go on; it moves with the training. Default: the beginning. */
  readonly progress?: FitProgress;
  readonly onStep?: (step: FitStep) => void;
  /**
   * Called after every step, when weights and `progress` belong together: lets the process answer signals, and may throw to
   * stop.
   */
  readonly breathe?: () => Promise<void>;
  /** Called at the end of every epoch; true ends the training. When it throws, `progress` stands before the end of the epoch. */
  readonly onEpoch?: (epoch: FitEpoch) => Promise<boolean>;
}

export interface FitEpoch {
  readonly epoch: number;
  readonly numEpochs: number;
  readonly step: number;
  readonly numSteps: number;
  /** Mean over the targets of the epoch. */
  readonly loss: number;
  /** Of its last step. */
  readonly learningRate: number;
  /** That its steps read. */
  readonly numEvents: number;
  readonly isLast: boolean;
}

export interface FitStep {
  readonly epoch: number;
  readonly numEpochs: number;
  readonly step: number;
  readonly numSteps: number;
  readonly loss: number;
  readonly learningRate: number;
  /** That the step read. */
  readonly numSessions: number;
  readonly numEvents: number;
}

/** Steps that `fitWindow` takes at most: batches that hold no target at all are left out. */
export function countSteps({
  model,
  objective,
  sessions,
  config,
  seed,
}: Pick<FitWindowArgs, 'model' | 'objective' | 'sessions' | 'config' | 'seed'>): number {
  if (config.sessionParallel) {
    assertSessionParallel(model, objective, sessions);
    if (config.accumulateBatches !== undefined && config.accumulateBatches > 1) {
      throw new Error(
        `${model.name}: training.sessionParallel carries states from step to step, which accumulateBatches would hold back; leave it out`,
      );
    }
  }
  if (config.steps !== undefined) return config.steps;
  let numSteps = 0;
  for (let epoch = 1; epoch <= config.epochs; epoch++) {
    numSteps += stepsOfEpoch({ model, objective, sessions, config, seed }, epoch);
  }
  return numSteps;
}

function stepsOfEpoch(
  {
    model,
    objective,
    sessions,
    config,
    seed,
  }: Pick<FitWindowArgs, 'model' | 'objective' | 'sessions' | 'config' | 'seed'>,
  epoch: number,
): number {
  const { batchSize, accumulateBatches = 1 } = config;
  if (config.sessionParallel) {
    assertSessionParallel(model, objective, sessions);
    return countLaneBatches(sessions, { batchSize, seed, epoch });
  }
  const longest = longestSeen(visibleLength(model, config.maxLength), objective);
  return Math.ceil(countBatches(sessions.offsets, { ...batching(config), seed, epoch }, longest) / accumulateBatches);
}

function batching({ batchSize, maxBatchEvents, bucketBatches }: TrainingConfig) {
  return { batchSize, maxBatchEvents, bucketBatches };
}

/**
 * Trains a model on the sessions of a window with the targets of its objective, `epochs` times over, in a new seeded order
 * each time.
 *
 * @returns mean loss per target of the last epoch
 * @throws DivergenceError when a loss is not finite, or far above those of the window's first steps
 */
export async function fitWindow(args: FitWindowArgs): Promise<number> {
  const { model, objective, sessions, config } = args;
  const numSteps = countSteps(args);
  if (config.sessionParallel) {
    assertSessionParallel(model, objective, sessions);
    const options = { batchSize: config.batchSize };
    return fitEpochs(args, numSteps, (seed, epoch) => laneBatches(sessions, { ...options, seed, epoch }));
  }
  const maxLength = visibleLength(model, config.maxLength);
  const batches = openBatches(sessions, { ...batching(config), maxLength }, objective, config.prefetch);
  try {
    const epochOf = function* (seed: number, epoch: number) {
      for (const batch of batches.epoch(seed, epoch)) yield { batch };
    };
    return await fitEpochs(args, numSteps, epochOf);
  } finally {
    await batches.close();
  }
}

type StepBatch = { readonly batch: SessionBatch } & Partial<LaneBatch>;

async function fitEpochs(
  args: FitWindowArgs,
  numSteps: number,
  batchesOf: (seed: number, epoch: number) => Iterable<StepBatch>,
): Promise<number> {
  const { config, seed, progress = newFitProgress(), onEpoch, breathe } = args;
  const rateAt = createRates(args, numSteps);
  const plateau = new Plateau(config.plateau ?? plateauSchema.parse({}), progress.plateau);
  const numEpochs =
    config.steps === undefined ? config.epochs : Math.ceil(numSteps / Math.max(1, stepsOfEpoch(args, 1)));
  while (!progress.isOver) {
    let taken = 0;
    for (const group of groupsOf(batchesOf(seed, progress.epoch), config.accumulateBatches ?? 1)) {
      if (progress.step === numSteps) break;
      if (taken++ < progress.epochStep) continue;
      const learningRate = rateAt(progress.step + 1) * (config.schedule === 'reduceOnPlateau' ? plateau.share : 1);
      const hasTaken = takeStep(args, progress, { group, learningRate, numEpochs, numSteps });
      if (hasTaken) await breathe?.();
    }
    const { epoch, step, lossSum, numTargets, numEvents, learningRate } = progress;
    const loss = numTargets > 0 ? lossSum / numTargets : undefined;
    const isLast = epoch >= numEpochs || step >= numSteps;
    const ended = { epoch, numEpochs, step, numSteps, learningRate, numEvents, isLast };
    const stops = loss !== undefined && (await onEpoch?.({ ...ended, loss }));
    if (loss !== undefined) {
      progress.meanLoss = loss;
      plateau.observe(loss);
    }
    Object.assign(progress, { epochStep: 0, lossSum: 0, numTargets: 0, numEvents: 0, carried: new CarriedStates() });
    progress.isOver = isLast || stops === true;
    if (!progress.isOver) progress.epoch++;
  }
  return progress.meanLoss ?? Number.NaN;
}

/** Steps whose mean loss is what later ones are measured by. */
const NUM_FIRST_STEPS = 10;

/** One step, and `progress` after it. @returns false when the batches hold no target: nothing was learned */
function takeStep(
  { model, loss, optimizer, config, seed, itemHistory, window, average, onStep }: FitWindowArgs,
  progress: FitProgress,
  step: {
    readonly group: readonly StepBatch[];
    readonly learningRate: number;
    readonly numEpochs: number;
    readonly numSteps: number;
  },
): boolean {
  const { clipNorm, touchedRowsOnly, precision, explodingLoss = 20 } = config;
  const { group, learningRate, numEpochs, numSteps } = step;
  const { epoch, carried, firstLosses } = progress;
  const [{ lanes, resets }] = group;
  progress.epochStep++;
  progress.step++;
  if (lanes && resets) carried.begin(lanes, resets);
  const seeded = group.map(({ batch }) => ({ batch, seed: deriveSeed(seed, epoch, ++progress.numDrawn) }));
  const withTargets = seeded.filter(({ batch }) => batch.targets.positions.length > 0);
  const [first, ...further] = withTargets;
  if (!first) return false;
  const firstLoss = firstLosses.sum / firstLosses.count;
  const rest = {
    itemHistory,
    learningRate,
    clipNorm,
    touchedRowsOnly,
    precision,
    carried: lanes && carried,
    ...(firstLosses.count > 0 && { maxLoss: explodingLoss * Math.max(1, firstLoss) }),
  };
  const lossValue = trainStep({ model, loss, optimizer, ...first, further, ...rest });
  if (!Number.isFinite(lossValue) || lossValue > (rest.maxLoss ?? Number.POSITIVE_INFINITY)) {
    throw new DivergenceError({
      model: model.name,
      window,
      step: progress.step,
      learningRate,
      loss: lossValue,
      ...(Number.isFinite(lossValue) && { firstLoss }),
      batches: withTargets.map(({ batch }) => batch),
    });
  }
  average?.update(model.parameters);
  const sum = (count: (batch: SessionBatch) => number) =>
    withTargets.reduce((total, { batch }) => total + count(batch), 0);
  const counted = sum(weightOfTargets);
  progress.lossSum += lossValue * counted;
  progress.numTargets += counted;
  progress.learningRate = learningRate;
  const numEvents = sum(({ itemIds }) => itemIds.length);
  progress.numEvents += numEvents;
  if (firstLosses.count < NUM_FIRST_STEPS) {
    firstLosses.sum += lossValue;
    firstLosses.count++;
  }
  onStep?.({
    epoch,
    numEpochs,
    step: progress.step,
    numSteps,
    loss: lossValue,
    learningRate,
    // Lanes go on with their sessions: those that begin are new.
    numSessions: resets ? resets.reduce((begun, reset) => begun + reset, 0) : sum(({ offsets }) => offsets.length - 1),
    numEvents,
  });
  return true;
}

/** The learning rate of every step of the window, whose schedule may be a part of the run's. */
function createRates({ config, place }: FitWindowArgs, numSteps: number): (step: number) => number {
  const { windowIndex, numWindows } =
    config.scheduleOver === 'run' && place ? place : { windowIndex: 0, numWindows: 1 };
  return (step) => learningRateAt(windowIndex * numSteps + step, numWindows * numSteps, config);
}

function* groupsOf(batches: Iterable<StepBatch>, size: number): Generator<StepBatch[]> {
  let group: StepBatch[] = [];
  for (const batch of batches) {
    group.push(batch);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/** Where a window's batches come from. */
interface Batches {
  epoch(seed: number, epoch: number): Iterable<SessionBatch>;
  close(): Promise<void>;
}

/** On another thread when asked for, and the objective is one that the thread can make; the batches are the same. */
function openBatches(
  sessions: EncodedSessions | SpilledSessions,
  options: Omit<PackBatchesOptions, 'objective'>,
  objective: Objective,
  prefetch: boolean,
): Batches {
  const { name, config } = objective;
  if (prefetch && name in objectives && config !== undefined) {
    const prefetcher = new BatchPrefetcher(sessions, { ...options, objective: { name, config } });
    return {
      epoch: (seed, epoch) => prefetcher.batches({ seed, epoch }),
      close: () => prefetcher.dispose(),
    };
  }
  return {
    epoch: (seed, epoch) => packBatches(sessions, { ...options, seed, epoch, objective }),
    close: async () => {},
  };
}
