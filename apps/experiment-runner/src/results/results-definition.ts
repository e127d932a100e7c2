import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
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

/** @throws {InputError} when the file is not there, is no YAML, or has keys and types that are not known */
export async function readResultsDefinition(path: string): Promise<ResultsDefinition> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new InputError(
      `${path}: not found; expected a definition of results (title, protocol, experiments, metrics, …)`,
    );
  });
  const { data, error } = resultsDefinitionSchema.safeParse(parse(text));
  if (data) return data;
  const [issue] = error.issues;
  throw new InputError(`${path}: ${issue.path.join('.') || 'file'}: ${issue.message}`);
}
