import type { ItemVocabulary } from '@nimue/data';
import type { AnyModel } from '@nimue/models';
import type { Optimizer } from '../optimizer.ts';
import type { Contender, RunRollingArgs } from '../run-rolling.ts';
import type { WindowResult } from '../trainer-events.ts';
import type { WeightAverage } from '../weight-average.ts';
import { CheckpointError } from './checkpoint-file.ts';
import { RunCheckpoints, type RunState } from './run-checkpoints.ts';
import type { StoredTensor } from './safetensors.ts';

/** The parts of a run that a checkpoint holds. */
export interface RunParts {
  readonly model: AnyModel;
  readonly optimizer: Optimizer;
  readonly average: WeightAverage | undefined;
  readonly vocabulary: ItemVocabulary;
}

/** The checkpoints of a contender, told apart from those of other runs; undefined when the run keeps none. */
export function checkpointsOf({ label, training }: Contender, args: RunRollingArgs): RunCheckpoints | undefined {
  const { checkpoints, dataset, plan, evaluation, seed } = args;
  if (!checkpoints) return undefined;
  const nameOf = (window: number) => dataset.windows[window].id;
  const steps = plan.steps.map(({ trainWindows, evaluateWindow }) => [
    trainWindows.map(nameOf),
    nameOf(evaluateWindow),
  ]);
  return new RunCheckpoints(checkpoints, {
    model: label,
    seed: String(seed),
    training: JSON.stringify(training),
    plan: JSON.stringify(steps),
    evaluation: JSON.stringify(evaluation),
    data: checkpoints.dataChecksum ?? '',
  });
}

/** What is to be kept after a window. */
export function stateOf(
  { model, optimizer, average, vocabulary }: RunParts,
  windowIndex: number,
  results: readonly WindowResult[],
): RunState {
  const weights = new Map<string, StoredTensor>();
  if (model.kind === 'neural') {
    for (const [name, values] of model.parameters.read()) {
      weights.set(name, { shape: model.parameters.variable(name).shape, values });
    }
  }
  return {
    windowIndex,
    optimizerStep: optimizer.step,
    itemCodes: Int32Array.from(vocabulary.toJSON().itemCodes),
    weights,
    optimizer: optimizer.read(),
    average: average?.read() ?? new Map(),
    results,
  };
}

/**
 * Puts the parts where they were after the window of `state`; vocabulary and features have been through the windows again.
 *
 * @throws CheckpointError when the windows brought other items than they did then
 */
export function restoreRun({ model, optimizer, average, vocabulary }: RunParts, state: RunState): void {
  const { itemCodes } = vocabulary.toJSON();
  if (itemCodes.length !== state.itemCodes.length || itemCodes.some((code, i) => code !== state.itemCodes[i])) {
    throw new CheckpointError(
      `the train windows hold ${itemCodes.length} items, the checkpoint ${state.itemCodes.length} or others: the data have changed; begin a new run`,
    );
  }
  if (model.kind !== 'neural') return;
  model.parameters.write(
    new Map([...state.weights].map(([name, { values }]) => [name, Float32Array.from(values)] as const)),
  );
  optimizer.write(state.optimizer, state.optimizerStep, model.parameters);
  average?.write(state.average);
}
