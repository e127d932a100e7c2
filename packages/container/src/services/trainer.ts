import type { ObjectiveSpec } from '@nimue/data';
import type { Loss, LossSpec } from '@nimue/losses';
import type { ModelSpec } from '@nimue/models';
import {
  type Contender,
  type Reference,
  type RunRollingArgs,
  runContender,
  runReference,
  type TrainingConfig,
  type WindowResult,
} from '@nimue/trainer';
import { specOf } from './specs.ts';

/** A part of an experiment that a spec makes: its name in the list, and its checked options. */
export interface NamedConfig {
  readonly name: string;
  /** What the spec's `configSchema` has accepted. */
  readonly config: unknown;
}

export interface ContenderConfig {
  /** Unique within the comparison. */
  readonly label: string;
  readonly model: NamedConfig;
  readonly loss: NamedConfig;
  readonly objective: NamedConfig;
  readonly training: TrainingConfig;
}

/** Trains and evaluates what an experiment names. */
export interface Trainer {
  /** @throws when the model, the loss or the objective is not in the lists */
  createContender(config: ContenderConfig): Contender;
  runContender(contender: Contender, args: RunRollingArgs): Promise<WindowResult[]>;
  runReference(reference: Reference, args: RunRollingArgs): Promise<WindowResult[]>;
}

export function createTrainer(
  models: ReadonlyMap<string, ModelSpec>,
  losses: ReadonlyMap<string, LossSpec>,
  objectives: ReadonlyMap<string, ObjectiveSpec>,
): Trainer {
  return {
    createContender({ label, model, loss, objective, training }) {
      const modelSpec = specOf(models, 'model', model.name);
      return {
        label,
        create: (size) => modelSpec.create(model.config, size),
        loss: specOf(losses, 'loss', loss.name).create(loss.config) satisfies Loss,
        objective: specOf(objectives, 'objective', objective.name).create(objective.config),
        training,
        config: { model, loss, objective },
      };
    },
    runContender,
    runReference,
  };
}
