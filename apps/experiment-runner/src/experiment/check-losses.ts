import { specOf } from '@nimue/container';
import type { Experiment } from './experiment.ts';
import type { Catalogue } from './experiment-schema.ts';
import { isMapping } from './is-mapping.ts';
import type { Problem } from './problem.ts';
import type { YamlFile } from './yaml-file.ts';

/** Refuses a loss that leaves the ranking of items unlearned, and heads whose labels training cannot carry. */
export function checkLosses(file: YamlFile, { contenders }: Experiment, { models, losses }: Catalogue): Problem[] {
  const entries = (file.value as { models: unknown[] }).models;
  return contenders.flatMap(({ model, loss, training }, index): Problem[] => {
    if (specOf(models, 'model', model.name).kind !== 'neural') return [];
    const entry = entries[index];
    const path = [...(isMapping(entry) && 'loss' in entry ? ['models', index] : []), 'loss', 'name'];
    const problem = (message: string) => [{ place: file.placeOf(path, 'value'), path, message }];
    const spec = specOf(losses, 'loss', loss.name);
    if (spec.ranksItems === false) {
      return problem(
        `'${loss.name}' alone would not teach ${model.name} which item comes next; make it a part of weightedSum, beside one that does, such as crossEntropy`,
      );
    }
    const [head] = spec.create(loss.config).heads ?? [];
    if (!head || !training.sessionParallel) return [];
    return problem(
      `training.sessionParallel carries no labels, which the head '${head.name}' of ${model.name} is taught; leave one of them out`,
    );
  });
}
