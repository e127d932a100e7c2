import type { SessionBatch } from '@nimue/batch';
import { longestSeen, packBatches, planBatches } from '@nimue/data';
import type { ItemHistory, Loss } from '@nimue/losses';
import type { NeuralModel } from '@nimue/models';
import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { visibleLength } from './evaluation/visible-length.ts';
import { assertSessionParallel, laneBatches } from './fit-session-parallel.ts';
import type { FitWindowArgs } from './fit-window.ts';
import { lossAndGradients } from './train-step.ts';

/** What the training of a window takes of memory, in bytes, told before its first step. */
export interface MemoryEstimate {
  /** Item tables and all other weights. */
  readonly weights: number;
  /** State of the optimizer for all of them. */
  readonly optimizer: number;
  /** Moving average of the weights, with the copy that evaluation swaps in. */
  readonly average: number;
  /** Copies of weights, optimizer and average: of the best moments that are kept, and of the checkpoint that is being written. */
  readonly copies: number;
  /** What a step holds at its fullest beside these: gradients, activations of its largest batch, and the kernels' working memory. */
  readonly step: number;
  /** Resident memory of the process as it is now: the program, the sessions, the weights. */
  readonly process: number;
  /** Resident memory of the process at its highest. */
  readonly peak: number;
}

export interface MemoryEstimateArgs {
  readonly model: NeuralModel;
  readonly loss: Loss;
  /** A batch of the window, which the largest one is judged by. */
  readonly batch: SessionBatch;
  /** Events of the largest batch. */
  readonly maxEvents: number;
  readonly itemHistory?: ItemHistory;
  readonly touchedRowsOnly?: boolean;
  /** Arrays that the optimizer keeps for every weight. */
  readonly numOptimizerStates: number;
  readonly hasAverage: boolean;
  /** How many copies of weights, optimizer and average there are at most beside them. Default 0. */
  readonly numCopies?: number;
  /** Resident memory in bytes now. Default: that of this process. */
  readonly processBytes?: number;
}

const BYTES = 4;
/** Bytes that a step takes for one in its tensors: buffers come in sizes, and those of larger and smaller batches wait beside one another. */
const BUFFERS_PER_TENSOR = 1.15;
/** Bytes by which the rest of the process grows in training, whatever the model: heap, compiled code, working memory of kernels. */
const GROWTH_OF_PROCESS = 45e6;

/**
 * The same for the training that `fitWindow` is about to do; undefined where no batch has a target. Session-parallel batches, of one
 * event a session, are largest at first, when every lane is at work.
 */
export function estimateMemoryOfWindow(
  { model, loss, objective, sessions, config, seed, itemHistory }: Omit<FitWindowArgs, 'optimizer' | 'window'>,
  numOptimizerStates: number,
  numCopies = 0,
): MemoryEstimate | undefined {
  const { batchSize, maxBatchEvents, bucketBatches, touchedRowsOnly, averageDecay } = config;
  const hasAverage = averageDecay !== undefined;
  const common = { model, loss, itemHistory, touchedRowsOnly, numOptimizerStates, hasAverage, numCopies };
  if (config.sessionParallel) {
    assertSessionParallel(model, objective, sessions);
    for (const { batch } of laneBatches(sessions, { batchSize, seed, epoch: 1 })) {
      if (batch.targets.positions.length > 0)
        return estimateMemory({ ...common, batch, maxEvents: batch.itemIds.length });
    }
    return undefined;
  }
  const options = { batchSize, maxBatchEvents, bucketBatches, seed, epoch: 1 };
  const maxLength = visibleLength(model, config.maxLength);
  const longest = longestSeen(maxLength, objective) ?? Number.POSITIVE_INFINITY;
  const { offsets } = sessions;
  let maxEvents = 0;
  for (const batch of planBatches(offsets, options, longest)) {
    if (!(batch instanceof Int32Array)) throw new Error('estimateMemoryOfWindow: batches are drawn with a seed');
    // An event that is only a target is no input.
    const events = batch.reduce((sum, s) => sum + Math.min(longest, offsets[s + 1] - offsets[s]) - 1, 0);
    maxEvents = Math.max(maxEvents, events);
  }
  for (const batch of packBatches(sessions, { ...options, maxLength, objective })) {
    if (batch.targets.positions.length === 0) continue;
    return estimateMemory({ ...common, batch, maxEvents: Math.max(maxEvents, batch.itemIds.length) });
  }
  return undefined;
}

/**
 * Weights, optimizer and average by counting; a step by taking two small parts of a batch, whose largest moments lie on a line
 * through the number of events. No weight changes.
 */
export function estimateMemory(args: MemoryEstimateArgs): MemoryEstimate {
  const { model, batch, maxEvents, numOptimizerStates, hasAverage, numCopies = 0 } = args;
  const weights = BYTES * model.parameters.numWeights;
  const optimizer = numOptimizerStates * weights;
  const average = hasAverage ? 2 * weights : 0;
  const copies = numCopies * (weights + optimizer + (hasAverage ? weights : 0));
  const numSessions = batch.offsets.length - 1;
  const small = firstSessions(batch, Math.ceil(numSessions / 8));
  const large = firstSessions(batch, Math.ceil(numSessions / 4));
  const step = stepBytes(args, small, large, maxEvents);
  // After the small parts, when the code has been compiled; what they held is taken again by the steps.
  const now = args.processBytes ?? process.memoryUsage.rss() - step.held;
  const peak = now + optimizer + average + copies + step.peak;
  return { weights, optimizer, average, copies, step: step.peak, process: now, peak };
}

/** `held`: of the larger part; `peak`: of the largest batch. */
function stepBytes(args: MemoryEstimateArgs, small: SessionBatch, large: SessionBatch, maxEvents: number) {
  const [few, more] = [small.itemIds.length, large.itemIds.length];
  const [low, held] = [peakOf(args, small), peakOf(args, large)];
  const perEvent = more === few ? held / Math.max(1, more) : (held - low) / (more - few);
  return { held, peak: GROWTH_OF_PROCESS + BUFFERS_PER_TENSOR * (held + perEvent * Math.max(0, maxEvents - more)) };
}

/** Bytes of tensors that a step holds at its fullest, those from before it apart. */
function peakOf({ model, loss, itemHistory, touchedRowsOnly }: MemoryEstimateArgs, batch: SessionBatch): number {
  if (batch.targets.positions.length === 0) return 0;
  return peakBytesOf(() => {
    const { value, gradients } = lossAndGradients(model, loss, batch, 1, { itemHistory, touchedRowsOnly });
    tf.dispose([value, gradients]);
  });
}

/** The methods of TensorFlow.js that see memory come and go; nothing else tells how much there was between two tensors. */
interface WatchedEngine {
  trackTensor(tensor: Tensor, backend: unknown): void;
  removeDataId(dataId: object, backend: unknown): void;
}

/** Most bytes that the tensors made by `work` hold at a time. Tensors of one memory (reshaped, say) count once, unlike in `tf.memory`. */
function peakBytesOf(work: () => void): number {
  const engine = tf.engine() as unknown as WatchedEngine;
  const { trackTensor, removeDataId } = engine;
  const held = new Map<object, number>();
  let [bytes, peak] = [0, 0];
  engine.trackTensor = function (tensor, backend) {
    const { numDataBuffers } = tf.memory();
    trackTensor.call(this, tensor, backend);
    if (tf.memory().numDataBuffers === numDataBuffers) return;
    const size = BYTES * tensor.size;
    held.set(tensor.dataId, size);
    bytes += size;
    peak = Math.max(peak, bytes);
  };
  engine.removeDataId = function (dataId, backend) {
    removeDataId.call(this, dataId, backend);
    bytes -= held.get(dataId) ?? 0;
    held.delete(dataId);
  };
  try {
    work();
  } finally {
    Object.assign(engine, { trackTensor, removeDataId });
  }
  return peak;
}

/** The first sessions of a batch, with their targets. */
function firstSessions(batch: SessionBatch, count: number): SessionBatch {
  const end = batch.offsets[count];
  const numTargets = batch.targets.positions.filter((position) => position < end).length;
  const cut = <Column extends Int32Array | Float32Array | Float64Array>(column: Column | undefined) =>
    column?.subarray(0, end) as Column | undefined;
  const { timestampsMs, features, sessionKeys, factorizationPlaces, originalItemIds } = batch;
  const { labels, weights } = batch.targets;
  return {
    itemIds: batch.itemIds.subarray(0, end),
    offsets: batch.offsets.subarray(0, count + 1),
    ...(timestampsMs && { timestampsMs: cut(timestampsMs) }),
    ...(features && {
      features: Object.fromEntries(Object.entries(features).map(([name, column]) => [name, column.subarray(0, end)])),
    }),
    ...(sessionKeys && { sessionKeys: sessionKeys.subarray(0, count) }),
    ...(factorizationPlaces && { factorizationPlaces: cut(factorizationPlaces) }),
    ...(originalItemIds && { originalItemIds: cut(originalItemIds) }),
    targets: {
      positions: batch.targets.positions.subarray(0, numTargets),
      itemIds: batch.targets.itemIds.subarray(0, numTargets),
      ...(weights && { weights: weights.subarray(0, numTargets) }),
      ...(labels && {
        labels: Object.fromEntries(
          Object.entries(labels).map(([name, column]) => [name, column.subarray(0, numTargets)]),
        ),
      }),
    },
  };
}
