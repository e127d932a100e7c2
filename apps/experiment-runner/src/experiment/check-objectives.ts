import { specOf } from '@nimue/container';
import { explainMisfit } from '@nimue/data';
import type { Experiment } from './experiment.ts';
import type { Catalogue } from './experiment-schema.ts';
import { isMapping } from './is-mapping.ts';
import type { Problem } from './problem.ts';
import type { YamlFile } from './yaml-file.ts';

/** Refuses a model that would see what its objective has it predict, where the objective is named. */
export function checkObjectives(file: YamlFile, { contenders }: Experiment, catalogue: Catalogue): Problem[] {
  const { models, objectives } = catalogue;
  const entries = (file.value as { models: unknown[] }).models;
  return contenders.flatMap(({ model, objective }, index): Problem[] => {
    const spec = specOf(models, 'model', model.name);
    if (spec.kind !== 'neural') return [];
    const attention = spec.attention?.(model.config) ?? 'causal';
    const whyNot = (name: string, config: unknown) => {
      const noDiscriminator = 'it has no discriminator to tell replaced items from true ones';
      if (name === 'replacedToken' && !spec.discriminates?.(model.config)) return noDiscriminator;
      return explainMisfit(specOf(objectives, 'objective', name).create(config), attention);
    };
    const why = whyNot(objective.name, objective.config);
    if (!why) return [];
    const entry = entries[index];
    const isOwn = isMapping(entry) && 'objective' in entry;
    const path = isOwn ? ['models', index, 'objective', 'name'] : ['objective', 'name'];
    const fitting = [...objectives]
      .filter(([name, { configSchema }]) => !whyNot(name, configSchema.parse({})))
      .map(([name]) => name);
    const message =
      `'${objective.name}' does not go with ${model.name}, whose attention is ${attention}: ${why}; ` +
      `for this model choose ${fitting.join(' or ')}${isOwn ? '' : ' (objective beside its name)'}`;
    return [{ place: file.placeOf(path, 'value'), path, message }];
  });
}
