import { isMapping } from './is-mapping.ts';
import type { Problem } from './problem.ts';
import { labelOf } from './resolve-experiment.ts';
import type { YamlFile } from './yaml-file.ts';

/** Models are told apart by their labels in every table, and `oracle` is the generator's own row. */
export function checkLabels(file: YamlFile): Problem[] {
  const { models, dataset, seeds } = (isMapping(file.value) ? file.value : {}) as Record<string, unknown>;
  const problems: Problem[] = [];
  const seen = new Map<string, number>();
  const taken = isMapping(dataset) && 'generated' in dataset ? ['oracle'] : [];
  for (const [index, entry] of (Array.isArray(models) ? models : []).entries()) {
    if (!isMapping(entry) || entry.name === undefined) continue;
    const label = labelOf(entry);
    const key = entry.label === undefined ? 'name' : 'label';
    const add = (message: string) =>
      problems.push({ place: file.placeOf(['models', index, key], 'value'), path: ['models', index, key], message });
    const first = seen.get(label);
    if (first !== undefined) add(`'${label}' is also what models[${first}] is called; give one of them another label`);
    else if (taken.includes(label)) add(`'${label}' is the row of the generator itself; choose another label`);
    else seen.set(label, index);
  }
  for (const [index, seed] of (Array.isArray(seeds) ? seeds : []).entries()) {
    if ((seeds as unknown[]).indexOf(seed) === index) continue;
    const message = `seed ${String(seed)} is in the list twice; every seed runs once`;
    problems.push({ place: file.placeOf(['seeds', index], 'value'), path: ['seeds', index], message });
  }
  return problems;
}
