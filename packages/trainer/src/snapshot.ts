import type { ParameterStore } from '@nimue/models';
import type { Optimizer } from './optimizer.ts';
import type { WeightAverage } from './weight-average.ts';

/** What a step of training changes. */
export interface TrainedParts {
  readonly parameters: ParameterStore;
  readonly optimizer: Optimizer;
  readonly average: WeightAverage | undefined;
}

/** Copies of their numbers, by name. */
export interface Snapshot {
  readonly weights: ReadonlyMap<string, Float32Array>;
  /** By `parameter/state`, rows of touched-rows optimizers included. */
  readonly optimizer: ReadonlyMap<string, Float32Array>;
  readonly optimizerStep: number;
  /** Moving average of the weights; empty without one. */
  readonly average: ReadonlyMap<string, Float32Array>;
}

export function takeSnapshot({ parameters, optimizer, average }: TrainedParts): Snapshot {
  return {
    weights: parameters.read(),
    optimizer: optimizer.read(),
    optimizerStep: optimizer.step,
    average: average?.read() ?? new Map(),
  };
}

/** Puts the parts where they were. @throws when a size does not fit */
export function putSnapshot({ parameters, optimizer, average }: TrainedParts, snapshot: Snapshot): void {
  parameters.write(snapshot.weights);
  optimizer.write(snapshot.optimizer, snapshot.optimizerStep, parameters);
  average?.write(snapshot.average);
}

/** The weights that a model is evaluated with: the averaged ones, where an average is kept. */
export function evaluatedWeights({ weights, average }: Snapshot): ReadonlyMap<string, Float32Array> {
  return average.size > 0 ? average : weights;
}
