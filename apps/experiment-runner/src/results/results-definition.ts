import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { explainIssues } from '../experiment/explain-issue.ts';
import { ExperimentFileError } from '../experiment/problem.ts';
import { parseYaml } from '../experiment/yaml-file.ts';
import { InputError } from '../input-error.ts';

const published = z.strictObject({
  /** Label of our row that it belongs to; a row of its own where we have none. */
  model: z.string().min(1),
  /** What the source calls it, when that says more than our label. */
  as: z.string().optional(),
  /** The published mean of each metric. */
  values: z.record(z.string(), z.number()),
  /** Paper and table, or repository and file. */
  source: z.string().min(1),
});

/** `results/<data set>.yaml`: which runs a table shows, and the figures that it holds them against. */
export const resultsDefinitionSchema = z.strictObject({
  title: z.string().min(1),
  /** What is measured and how: split, ranking scope, seen items, ties. */
  protocol: z.string().min(1),
  /** Names of the experiments (`name:` in their files) whose finished runs are taken, the newest of every model. */
  experiments: z
    .array(z.strictObject({ name: z.string().min(1), file: z.string().min(1), command: z.string().min(1) }))
    .min(1),
  metrics: z.array(z.string().min(1)).min(1),
  published: z.array(published).default([]),
  /** A plain account: where we fall short, what was tried, what could not be run and why. */
  account: z.string().default(''),
});

export type ResultsDefinition = z.output<typeof resultsDefinitionSchema>;

/** @throws {InputError} when the file is not there, or with every mistake in it, by line and column */
export async function readResultsDefinition(path: string): Promise<ResultsDefinition> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new InputError(
      `${path}: not found; expected a definition of results (title, protocol, experiments, metrics, …)`,
    );
  });
  const file = parseYaml(path, text);
  if (file.problems.length > 0) throw new ExperimentFileError(file.problems);
  const { data, error } = resultsDefinitionSchema.safeParse(file.value);
  if (data) return data;
  throw new ExperimentFileError(explainIssues(file, resultsDefinitionSchema, error.issues));
}
