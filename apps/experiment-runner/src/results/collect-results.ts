import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunEnvironment } from '../run/environment.ts';
import { type IndexedRun, readIndex } from '../run/run-index.ts';
import type { ResultsDefinition } from './results-definition.ts';

/** One model of one run. */
export interface ResultRow {
  readonly model: string;
  readonly metrics: IndexedRun['models'][number]['metrics'];
  readonly numSeeds?: number;
  readonly numWindows?: number;
  readonly trainSeconds: number;
  readonly evaluateSeconds?: number;
  readonly memoryBytes?: number;
  readonly run: IndexedRun;
  readonly environment: RunEnvironment;
}

/**
 * The newest finished run of every model among the definition's experiments. Runs on the valid split choose options and are
 * no results: only those on the test split count.
 *
 * @param runsDirectory the folder that holds `index.jsonl`
 */
export async function collectResults(runsDirectory: string, definition: ResultsDefinition): Promise<ResultRow[]> {
  const names = new Set(definition.experiments.map(({ name }) => name));
  const rows = new Map<string, ResultRow>();
  for (const run of await readIndex(runsDirectory)) {
    if (!names.has(run.experiment) || run.split !== 'test') continue;
    const environment = JSON.parse(await readFile(join(run.run, 'environment.json'), 'utf8')) as RunEnvironment;
    for (const { model, metrics, ...rest } of run.models) {
      if (definition.metrics.every((name) => metrics[name] === undefined)) continue;
      rows.set(model, { model, metrics, ...rest, run, environment });
    }
  }
  return [...rows.values()];
}
