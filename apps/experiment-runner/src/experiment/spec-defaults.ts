import { type DatasetSpec, datasets } from '@nimue/data';
import { isMapping } from './is-mapping.ts';
import type { Path } from './problem.ts';

/**
 * Where the experiment names a ready-made data set (`dataset: { spec: globo, path: … }`), its `sessions` and `windows` stand
 * for the options that the file leaves out.
 */
export function withSpecDefaults(experiment: unknown): unknown {
  if (!isMapping(experiment) || !isMapping(experiment.dataset)) return experiment;
  const spec = specOf(experiment.dataset);
  if (spec === undefined) return experiment;
  const over = (defaults: object, given: unknown) =>
    given === undefined ? defaults : isMapping(given) ? { ...defaults, ...given } : given;
  return {
    ...experiment,
    sessions: over(spec.sessions, experiment.sessions),
    windows: over(spec.windows, experiment.windows),
  };
}

/** The ready-made data set that gives a value of the experiment, where the file itself does not; undefined for all others. */
export function specOfValue(experiment: unknown, path: Path): string | undefined {
  if (!isMapping(experiment) || !isMapping(experiment.dataset)) return undefined;
  const spec = specOf(experiment.dataset);
  if (spec === undefined) return undefined;
  const { sessions, windows } = spec;
  let value: unknown = { dataset: spec.dataset(String(experiment.dataset.path ?? '')), sessions, windows };
  for (const part of path) value = (value as Record<string | number, unknown> | null | undefined)?.[part];
  return value === undefined ? undefined : String(experiment.dataset.spec);
}

function specOf(dataset: Readonly<Record<string, unknown>>): DatasetSpec | undefined {
  const specs: Readonly<Record<string, DatasetSpec>> = datasets;
  return Object.hasOwn(specs, String(dataset.spec)) ? specs[String(dataset.spec)] : undefined;
}
