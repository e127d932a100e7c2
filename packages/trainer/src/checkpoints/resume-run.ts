import type { FeaturePipeline, ItemVocabulary } from '@nimue/data';
import type { AnyModel } from '@nimue/models';
import type { Optimizer } from '../optimizer.ts';
import type { Contender, RunRollingArgs } from '../run-rolling.ts';
import { putSnapshot, takeSnapshot } from '../snapshot.ts';
import type { WeightAverage } from '../weight-average.ts';
import type { WindowValidation } from '../window-validation.ts';
import { CheckpointError } from './checkpoint-file.ts';
import { RunCheckpoints } from './run-checkpoints.ts';
import type { RunState } from './run-state.ts';

/** The parts of a run that a checkpoint holds. */
export interface RunParts {
  readonly model: AnyModel;
  readonly optimizer: Optimizer;
  readonly average: WeightAverage | undefined;
  readonly vocabulary: ItemVocabulary;
  readonly pipeline: FeaturePipeline | undefined;
  readonly validation: WindowValidation;
}

/** The checkpoints of a contender, told apart from those of other runs; undefined when the run keeps none. */
export function checkpointsOf(
  { label, training, config }: Contender,
  args: RunRollingArgs,
): RunCheckpoints | undefined {
  const { checkpoints, dataset, plan, evaluation, features = [], seed } = args;
  if (!checkpoints) return undefined;
  const nameOf = (window: number) => dataset.windows[window].id;
  const steps = plan.steps.map(({ trainWindows, evaluateWindow, replay }) => [
    trainWindows.map(nameOf),
    nameOf(evaluateWindow),
    ...(replay ? [{ share: replay.share, windows: replay.windows.map(nameOf) }] : []),
  ]);
  return new RunCheckpoints(checkpoints, {
    model: label,
    config: JSON.stringify({ model: config ?? null, features }),
    seed: String(seed),
    training: JSON.stringify(training),
    plan: JSON.stringify(steps),
    evaluation: JSON.stringify(evaluation),
    data: checkpoints.dataChecksum ?? '',
  });
}

/** What is to be kept of a run, copied. */
export function stateOf(
  { model, optimizer, average, vocabulary, pipeline, validation }: RunParts,
  rest: Pick<RunState, 'windowIndex' | 'windowSeed' | 'trainSeconds' | 'progress' | 'results'>,
): RunState {
  const isNeural = model.kind === 'neural';
  const names = isNeural ? model.parameters.names : [];
  return {
    ...rest,
    itemCodes: Int32Array.from(vocabulary.toJSON().itemCodes),
    features: pipeline?.toJSON() ?? null,
    shapes: new Map(isNeural ? names.map((name) => [name, model.parameters.variable(name).shape]) : []),
    snapshot: isNeural
      ? takeSnapshot({ parameters: model.parameters, optimizer, average })
      : { weights: new Map(), optimizer: new Map(), optimizerStep: 0, average: new Map() },
    best: rest.progress ? validation.best.entries() : new Map(),
    stopping: validation.stopping,
  };
}

/**
 * Puts the parts where they were; vocabulary, features and models that count have been through the windows again.
 *
 * @throws CheckpointError when the windows brought other items or feature values than they did then
 */
export function restoreRun(
  { model, optimizer, average, vocabulary, pipeline, validation }: RunParts,
  state: RunState,
): void {
  const { itemCodes } = vocabulary.toJSON();
  if (itemCodes.length !== state.itemCodes.length || itemCodes.some((code, i) => code !== state.itemCodes[i])) {
    throw new CheckpointError(
      `the train windows hold ${itemCodes.length} items, the checkpoint ${state.itemCodes.length} or others: the data have changed; begin a new run`,
    );
  }
  if (JSON.stringify(pipeline?.toJSON() ?? null) !== JSON.stringify(state.features)) {
    throw new CheckpointError(
      'the train windows give other fitted features than the checkpoint holds: the data have changed; begin a new run',
    );
  }
  if (model.kind !== 'neural') return;
  putSnapshot({ parameters: model.parameters, optimizer, average }, state.snapshot);
  validation.best.write(state.best);
  validation.stopping = state.stopping;
}
