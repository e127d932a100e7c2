import type { Trainer } from '@nimue/container';
import type { RunRollingArgs, TrainedModel, TrainerListener, WindowResult } from '@nimue/trainer';
import type { RunPart, RunPlan } from './run-plan.ts';

export interface RunPartsArgs {
  readonly trainer: Trainer;
  readonly evaluation: RunRollingArgs['evaluation'];
  readonly timeZone?: RunRollingArgs['timeZone'];
  readonly features?: RunRollingArgs['features'];
  readonly checkpoints?: RunRollingArgs['checkpoints'];
  readonly signal?: AbortSignal;
  /** Called with every result as soon as it is there. */
  readonly onResult: (result: WindowResult) => void;
  readonly onEvent?: TrainerListener;
  /** Called with every model as its last window left it. */
  readonly onTrained?: (part: Extract<RunPart, { kind: 'contender' }>, trained: TrainedModel) => Promise<void>;
}

/**
 * Runs every part of the plan through the same windows, one after the other: popularity before the models that are shown
 * beside it.
 */
export async function runParts({ dataset, evaluation: plan, parts }: RunPlan, args: RunPartsArgs): Promise<void> {
  const { trainer, evaluation, timeZone, features, checkpoints, signal, onResult, onTrained } = args;
  const onEvent: TrainerListener = (event) => {
    if (event.type === 'windowDone') onResult(event.result);
    args.onEvent?.(event);
  };
  const isFirst = (part: RunPart) => part.kind === 'reference' || part.isPopularity === true;
  for (const part of [...parts.filter(isFirst), ...parts.filter((part) => !isFirst(part))]) {
    const rolling: RunRollingArgs = {
      dataset,
      plan,
      evaluation,
      timeZone,
      features,
      seed: part.seed,
      checkpoints,
      signal,
      onEvent,
    };
    if (part.kind === 'reference') await trainer.runReference(part.reference, rolling);
    else {
      const keep = onTrained && ((trained: TrainedModel) => onTrained(part, trained));
      await trainer.runContender(part.contender, { ...rolling, ...(keep && { onTrained: keep }) });
    }
  }
}
