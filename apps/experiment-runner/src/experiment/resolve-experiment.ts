import { type NamedConfig, specOf } from '@nimue/container';
import { evaluationPolicySchema, type WindowsConfig } from '@nimue/data';
import { defaultLoss, defaultObjective } from '@nimue/models';
import { trainingSchema } from '@nimue/trainer';
import type { z } from 'zod';
import type { Experiment } from './experiment.ts';
import type { Catalogue, createExperimentSchema, NamedEntry } from './experiment-schema.ts';

type ParsedFile = z.output<ReturnType<typeof createExperimentSchema>>;

/** Fills every model's own sections in and sorts the options to the parts that use them. */
export function resolveExperiment(file: ParsedFile, { models, losses, objectives }: Catalogue): Experiment {
  const { span, timeZone, first, last, count, ...policy } = file.windows;
  const windows: WindowsConfig = { span, timeZone, first, last, count };
  const ownObjective = (name: string, config: unknown): NamedEntry => {
    const objective = defaultObjective(specOf(models, 'model', name), config);
    const { configSchema } = specOf(objectives, 'objective', objective);
    return { name: objective, ...(configSchema.parse({}) as object) };
  };
  const ownLoss = (name: string, config: unknown): NamedEntry => {
    const loss = defaultLoss(specOf(models, 'model', name), config);
    return { name: loss, ...(specOf(losses, 'loss', loss).configSchema.parse({}) as object) };
  };
  const contenders = file.models.map((entry) => {
    const { name, label, loss, objective, training, ...config } = entry;
    return {
      label: labelOf(entry),
      model: { name, config },
      loss: toNamedConfig((loss as NamedEntry | undefined) ?? file.loss ?? ownLoss(name, config)),
      objective: toNamedConfig((objective as NamedEntry | undefined) ?? file.objective ?? ownObjective(name, config)),
      training: trainingSchema.parse({ ...file.training, ...(training as object | undefined) }),
    };
  });
  const heads = contenders.flatMap(({ model, loss }) =>
    specOf(models, 'model', model.name).kind === 'neural'
      ? (specOf(losses, 'loss', loss.name).create(loss.config).heads ?? [])
      : [],
  );
  return {
    name: file.name,
    dataset: file.dataset,
    sessions: file.sessions,
    windows,
    policy: evaluationPolicySchema.parse(policy),
    split: file.split,
    features: file.features,
    contenders,
    heads,
    evaluation: file.evaluation,
    checkpoints: file.checkpoints,
    seeds: file.seeds,
    backend: file.backend,
    report: file.report,
    ...(file.sweep && { sweep: file.sweep }),
    resolved: file,
  };
}

/** The name of a model in tables: its label, or else its name. */
export function labelOf(entry: { readonly name?: unknown; readonly label?: unknown }): string {
  return String(entry.label ?? entry.name);
}

function toNamedConfig({ name, ...config }: NamedEntry): NamedConfig {
  return { name, config };
}
