import { checkInputs } from './check-inputs.ts';
import { checkLabels } from './check-labels.ts';
import { checkLosses } from './check-losses.ts';
import { checkObjectives } from './check-objectives.ts';
import { checkPositions } from './check-positions.ts';
import { checkReport } from './check-report.ts';
import type { Experiment } from './experiment.ts';
import { type Catalogue, createExperimentSchema } from './experiment-schema.ts';
import { explainIssues } from './explain-issue.ts';
import { type MergedFile, mergeLayers } from './merge-layers.ts';
import { ExperimentFileError } from './problem.ts';
import { layersOf, readLayers } from './read-layers.ts';
import { resolveExperiment } from './resolve-experiment.ts';
import type { Setting } from './setting.ts';
import { withSpecDefaults } from './spec-defaults.ts';
import type { YamlFile } from './yaml-file.ts';

export interface LoadExperimentOptions extends Catalogue {
  /** From the command line; they take precedence over the files. */
  readonly settings?: readonly Setting[];
  /** Default: the process's own. Only variables that a file names are read. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** An experiment with the way back from its values to the files. */
export interface LoadedExperiment {
  readonly experiment: Experiment;
  readonly file: MergedFile;
}

/**
 * Reads and checks an experiment: one file or several, of which later ones take precedence, each over the files that it
 * `extends`.
 *
 * @throws ExperimentFileError with every problem, in order of position
 * @throws InputError when a file cannot be read
 */
export async function loadExperiment(
  files: string | readonly string[],
  options: LoadExperimentOptions,
): Promise<Experiment> {
  return loadWithOrigins(files, options).experiment;
}

/** The same, with where every value comes from. */
export function loadWithOrigins(files: string | readonly string[], options: LoadExperimentOptions): LoadedExperiment {
  const { environment = process.env } = options;
  return check(
    [files].flat().flatMap((file) => readLayers(file, environment)),
    options,
  );
}

/**
 * Checks the text of an experiment file.
 *
 * @param name of the file: messages show it, and `extends` starts beside it
 * @throws ExperimentFileError with every problem of the file, in order of position
 */
export function parseExperiment(name: string, text: string, options: LoadExperimentOptions): Experiment {
  return check(layersOf(name, text, options.environment ?? process.env), options).experiment;
}

function check(layers: readonly YamlFile[], options: LoadExperimentOptions): LoadedExperiment {
  const { settings, environment = process.env } = options;
  const file = mergeLayers(layers, settings, environment);
  if (file.value === undefined && file.problems.length > 0) throw new ExperimentFileError(file.problems);
  const schema = createExperimentSchema(options);
  const result = schema.safeParse(withSpecDefaults(file.value));
  const issues = result.success ? [] : explainIssues(file, schema, result.error.issues);
  const problems = [...file.problems, ...issues, ...checkLabels(file)];
  if (!result.success || problems.length > 0) throw new ExperimentFileError(problems);
  const experiment = resolveExperiment(result.data, options);
  const misfits = [
    ...checkObjectives(file, experiment, options),
    ...checkLosses(file, experiment, options),
    ...checkInputs(file, experiment),
    ...checkPositions(file, experiment),
    ...checkReport(file, experiment),
  ];
  if (misfits.length > 0) throw new ExperimentFileError(misfits);
  return { experiment, file };
}
