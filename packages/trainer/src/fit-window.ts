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
import type { Loss } from '@nimue/losses';
import { CarriedStates, type NeuralModel } from '@nimue/models';
import { deriveSeed } from '@nimue/ops';
import { DivergenceError } from './divergence-error.ts';
import { visibleLength } from './evaluation/visible-length.ts';
import { assertSessionParallel, countLaneBatches, type LaneBatch, laneBatches } from './fit-session-parallel.ts';
import { learningRateAt } from './learning-rate.ts';
import type { Optimizer } from './optimizer.ts';
import { Plateau, plateauSchema } from './schedules/reduce-on-plateau.ts';
import { trainStep } from './train-step.ts';
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
  /** How often every item occurs in the train windows so far [V], for losses that sample. */
  readonly itemCounts?: Int32Array;
  /** For messages. */
  readonly window: string;
  readonly onStep?: (step: FitStep) => void;
  /** Called after every step: lets the process answer signals, and may throw to stop. */
  readonly breathe?: () => Promise<void>;
}

export interface FitStep {
  readonly epoch: number;
  readonly numEpochs: number;
  readonly step: number;
  readonly numSteps: number;
  readonly loss: number;
  readonly learningRate: number;
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
 * @throws DivergenceError when a loss is not finite
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
  const { model, loss, optimizer, config, seed, itemCounts, window, average, onStep, breathe } = args;
  const { clipNorm, touchedRowsOnly, precision } = config;
  const rateAt = createRates(args, numSteps);
  const plateau = new Plateau(config.plateau ?? plateauSchema.parse({}));
  const numEpochs =
    config.steps === undefined ? config.epochs : Math.ceil(numSteps / Math.max(1, stepsOfEpoch(args, 1)));
  let step = 0;
  let numDrawn = 0;
  let meanLoss = Number.NaN;
  for (let epoch = 1; epoch <= numEpochs && step < numSteps; epoch++) {
    let sum = 0;
    let numTargets = 0;
    const states = new CarriedStates();
    for (const group of groupsOf(batchesOf(seed, epoch), config.accumulateBatches ?? 1)) {
      if (step === numSteps) break;
      step++;
      const [{ lanes, resets }] = group;
      if (lanes && resets) states.begin(lanes, resets);
      const carried = lanes && states;
      const seeded = group.map(({ batch }) => ({ batch, seed: deriveSeed(seed, epoch, ++numDrawn) }));
      const [first, ...further] = seeded.filter(({ batch }) => batch.targets.positions.length > 0);
      if (!first) continue;
      const learningRate = rateAt(step) * (config.schedule === 'reduceOnPlateau' ? plateau.share : 1);
      const rest = { itemCounts, learningRate, clipNorm, touchedRowsOnly, precision, carried };
      const lossValue = trainStep({ model, loss, optimizer, ...first, further, ...rest });
      if (!Number.isFinite(lossValue)) {
        throw new DivergenceError('loss', lossValue, { model: model.name, window, step, learningRate });
      }
      average?.update(model.parameters);
      const stepTargets = [first, ...further].reduce((count, { batch }) => count + batch.targets.positions.length, 0);
      const numEvents = [first, ...further].reduce((count, { batch }) => count + batch.itemIds.length, 0);
      sum += lossValue * stepTargets;
      numTargets += stepTargets;
      onStep?.({ epoch, numEpochs, step, numSteps, loss: lossValue, learningRate, numEvents });
      await breathe?.();
    }
    if (numTargets === 0) continue;
    meanLoss = sum / numTargets;
    plateau.observe(meanLoss);
  }
  return meanLoss;
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
