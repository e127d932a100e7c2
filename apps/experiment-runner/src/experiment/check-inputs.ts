import { outputsOfFeatures } from '@nimue/data';
import { explainColumns, type InputsConfig } from '@nimue/models';
import type { Experiment } from './experiment.ts';
import { didYouMean } from './known-keys.ts';
import type { Problem } from './problem.ts';
import type { YamlFile } from './yaml-file.ts';

/** Refuses a model that reads a feature which the `features` section does not make, or new items without any. */
export function checkInputs(file: YamlFile, { contenders, features }: Experiment): Problem[] {
  const columns = outputsOfFeatures(features);
  return contenders.flatMap(({ model, training }, index): Problem[] => {
    const { inputs } = model.config as { inputs?: InputsConfig };
    const problems = inputs ? explainColumns(inputs, columns) : [];
    const missing = problems.map((problem) => {
      const path = ['models', index, 'inputs', ...problem.path];
      const hint = problem.unknown ? didYouMean(problem.unknown.name, problem.unknown.known) : '';
      return { place: file.placeOf(path, 'value'), path, message: `${problem.message}${hint}` };
    });
    const describesItems = inputs?.features.some((input) => 'role' in input && input.role === 'item');
    if (training.newItems !== 'features' || describesItems || !isNeural(model.config)) return missing;
    const path = ['models', index, 'name'];
    const message = `new items cannot start from features in ${model.name}: no input has the role item (training.newItems)`;
    return [...missing, { place: file.placeOf(path, 'value'), path, message }];
  });
}

/** Every neural model has item vectors. */
function isNeural(config: unknown): boolean {
  return typeof config === 'object' && config !== null && 'embedding' in config;
}
