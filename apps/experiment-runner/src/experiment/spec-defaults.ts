import { type DatasetSpec, datasets } from '@nimue/data';
import { isMapping } from './is-mapping.ts';

/**
 * Where the experiment names a ready-made data set (`dataset: { spec: globo, path: … }`), its `sessions` and `windows` stand
 * for the options that the file leaves out.
 */
export function withSpecDefaults(experiment: unknown): unknown {
  if (!isMapping(experiment) || !isMapping(experiment.dataset)) return experiment;
  const specs: Readonly<Record<string, DatasetSpec>> = datasets;
  const spec = specs[String(experiment.dataset.spec)];
  if (spec === undefined) return experiment;
  const over = (defaults: object, given: unknown) =>
    given === undefined ? defaults : isMapping(given) ? { ...defaults, ...given } : given;
  return {
    ...experiment,
    sessions: over(spec.sessions, experiment.sessions),
    windows: over(spec.windows, experiment.windows),
  };
}
