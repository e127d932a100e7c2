import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ModelSummary, summarizeResults, type WindowResult } from '@nimue/trainer';
import { parse } from 'yaml';
import { labelOf } from '../experiment/resolve-experiment.ts';
import type { RunEnvironment } from '../run/environment.ts';

/** A finished run for programs. */
export interface ReportJson {
  readonly run: string;
  /** Every option, defaults included. */
  readonly experiment: Readonly<Record<string, unknown>>;
  readonly environment: RunEnvironment;
  /** A row per model, in the order of the experiment, the references before them. */
  readonly models: readonly ModelSummary[];
  /** A line per model, seed and window. */
  readonly results: readonly WindowResult[];
}

/** Puts together what the folder of a finished run holds. */
export async function reportJson(run: string): Promise<ReportJson> {
  const read = (name: string) => readFile(join(run, name), 'utf8');
  const experiment = parse(await read('experiment.yaml')) as { models: { name: string; label?: string }[] };
  const lines = (await read('metrics.jsonl')).split('\n').filter(Boolean);
  const results = lines.map((line) => JSON.parse(line) as WindowResult);
  const labels = experiment.models.map(labelOf);
  results.sort((a, b) => labels.indexOf(a.model) - labels.indexOf(b.model));
  const environment = JSON.parse(await read('environment.json')) as RunEnvironment;
  return { run, experiment, environment, models: summarizeResults(results), results };
}
