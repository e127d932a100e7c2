import { readFile } from 'node:fs/promises';
import { InputError } from '../input-error.ts';
import { checkInputs } from './check-inputs.ts';
import { checkLabels } from './check-labels.ts';
import { checkObjectives } from './check-objectives.ts';
import { checkPositions } from './check-positions.ts';
import type { Experiment } from './experiment.ts';
import { type Catalogue, createExperimentSchema } from './experiment-schema.ts';
import { explainIssues } from './explain-issue.ts';
import { ExperimentFileError } from './problem.ts';
import { resolveExperiment } from './resolve-experiment.ts';
import type { Setting } from './setting.ts';
import { parseYaml } from './yaml-file.ts';

export interface LoadExperimentOptions extends Catalogue {
  /** From the command line; they take precedence over the file. */
  readonly settings?: readonly Setting[];
  /** Default: the process's own. Only variables that the file names are read. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads and checks an experiment file.
 *
 * @throws ExperimentFileError with every problem of the file, in order of position
 * @throws InputError when the file cannot be read
 */
export async function loadExperiment(file: string, options: LoadExperimentOptions): Promise<Experiment> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'ENOENT' ? 'the file does not exist' : error.message;
    throw new InputError(`${file}: ${reason}; expected an experiment file`);
  });
  return parseExperiment(file, text, options);
}

/**
 * Checks the text of an experiment file.
 *
 * @param name of the file in messages
 * @throws ExperimentFileError with every problem of the file, in order of position
 */
export function parseExperiment(name: string, text: string, options: LoadExperimentOptions): Experiment {
  const { settings, environment = process.env } = options;
  const file = parseYaml(text, { settings, environment });
  if (file.value === undefined && file.problems.length > 0) throw new ExperimentFileError(name, file.problems);
  const schema = createExperimentSchema(options);
  const result = schema.safeParse(file.value);
  const issues = result.success ? [] : explainIssues(file, schema, result.error.issues);
  const problems = [...file.problems, ...issues, ...checkLabels(file)];
  if (!result.success || problems.length > 0) throw new ExperimentFileError(name, problems);
  const experiment = resolveExperiment(result.data, options);
  const misfits = [
    ...checkObjectives(file, experiment, options),
    ...checkInputs(file, experiment),
    ...checkPositions(file, experiment),
  ];
  if (misfits.length > 0) throw new ExperimentFileError(name, misfits);
  return experiment;
}
