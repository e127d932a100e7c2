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
import { visibleLength } from './evaluation/evaluate.ts';
import { assertSessionParallel, countLaneBatches, type LaneBatch, laneBatches } from './fit-session-parallel.ts';
import { learningRateAt } from './learning-rate.ts';
import type { Optimizer } from './optimizer.ts';
import { trainStep } from './train-step.ts';
import type { TrainingConfig } from './training-schema.ts';

export interface FitWindowArgs {
  readonly model: NeuralModel;
  readonly loss: Loss;
  /** What the model is taught. */
  readonly objective: Objective;
  readonly optimizer: Optimizer;
  /** In memory or in a file: the batches are the same. */
  readonly sessions: EncodedSessions | SpilledSessions;
  readonly config: TrainingConfig;
  /** Seeds the order of sessions, the objective's draws and every dropout of this window. */
  readonly seed: number;
  /** For messages. */
  readonly window: string;
  readonly onStep?: (step: FitStep) => void;
  /** Called after every step: lets the process answer signals, and may throw to stop. */
  readonly breathe?: () => Promise<void>;
}

export interface FitStep {
  readonly epoch: number;
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
    let count = 0;
    for (let epoch = 1; epoch <= config.epochs; epoch++) {
      count += countLaneBatches(sessions, { batchSize: config.batchSize, seed, epoch });
    }
    return count;
  }
  const longest = longestSeen(visibleLength(model, config.maxLength), objective);
  let numSteps = 0;
  for (let epoch = 1; epoch <= config.epochs; epoch++) {
    numSteps += countBatches(sessions.offsets, { ...batching(config), seed, epoch }, longest);
  }
  return numSteps;
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

async function fitEpochs(
  { model, loss, optimizer, config, seed, window, onStep, breathe }: FitWindowArgs,
  numSteps: number,
  batchesOf: (seed: number, epoch: number) => Iterable<{ batch: SessionBatch } & Partial<LaneBatch>>,
): Promise<number> {
  const { clipNorm, touchedRowsOnly } = config;
  let step = 0;
  let meanLoss = Number.NaN;
  for (let epoch = 1; epoch <= config.epochs; epoch++) {
    let sum = 0;
    let numTargets = 0;
    const states = new CarriedStates();
    for (const { batch, lanes, resets } of batchesOf(seed, epoch)) {
      step++;
      if (lanes && resets) states.begin(lanes, resets);
      const carried = lanes && states;
      if (batch.targets.positions.length === 0) continue;
      const learningRate = learningRateAt(step, numSteps, config);
      const stepSeed = deriveSeed(seed, epoch, step);
      const rest = { learningRate, clipNorm, touchedRowsOnly, carried };
      const lossValue = trainStep({ model, loss, optimizer, batch, seed: stepSeed, ...rest });
      if (!Number.isFinite(lossValue)) {
        throw new DivergenceError('loss', lossValue, { model: model.name, window, step, learningRate });
      }
      sum += lossValue * batch.targets.positions.length;
      numTargets += batch.targets.positions.length;
      onStep?.({ epoch, step, numSteps, loss: lossValue, learningRate, numEvents: batch.itemIds.length });
      await breathe?.();
    }
    if (numTargets > 0) meanLoss = sum / numTargets;
  }
  return meanLoss;
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
