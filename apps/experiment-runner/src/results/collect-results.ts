import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunEnvironment } from '../run/environment.ts';
import { type IndexedRun, readIndex } from '../run/run-index.ts';
import type { ResultRow } from './result-row.ts';
import type { ResultsDefinition } from './results-definition.ts';

/**
 * The newest finished run of every model among the definition's experiments. Runs on the valid split choose options and are
 * no results: only those on the test split count.
 *
 * @param runsDirectory the folder that holds `index.jsonl`
 */
export async function collectResults(runsDirectory: string, definition: ResultsDefinition): Promise<ResultRow[]> {
  const names = new Set(definition.experiments.map(({ name }) => name));
  const rows: ResultRow[] = [];
  for (const run of await readIndex(runsDirectory)) {
    if (!names.has(run.experiment) || run.split !== 'test') continue;
    const environment = JSON.parse(await readFile(join(run.run, 'environment.json'), 'utf8')) as RunEnvironment;
    for (const model of run.models) {
      if (definition.metrics.every((name) => model.metrics[name] === undefined)) continue;
      rows.push(rowOf(model, run, environment));
    }
  }
  return newestOfEach(rows);
}

function rowOf(
  { model, metrics, ...spent }: IndexedRun['models'][number],
  { experiment, startedAt }: IndexedRun,
  { git, data, cores, cpu, backend }: RunEnvironment,
): ResultRow {
  return {
    model,
    experiment,
    metrics,
    ...spent,
    startedAt,
    ...git,
    dataChecksum: data.checksum,
    machine: `${cores} × ${cpu}, ${backend.name} (${backend.description})`,
  };
}

/**
 * The rows of earlier runs with those of later ones: of every model the one that was started last. A row whose experiment the
 * definition no longer names goes.
 */
export function mergeResults(
  definition: ResultsDefinition,
  kept: readonly ResultRow[],
  collected: readonly ResultRow[],
): ResultRow[] {
  const names = new Set(definition.experiments.map(({ name }) => name));
  return newestOfEach([...kept.filter(({ experiment }) => names.has(experiment)), ...collected]);
}

/** Of every model the row that was started last; of two at once the later one of the list. */
function newestOfEach(rows: readonly ResultRow[]): ResultRow[] {
  const newest = new Map<string, ResultRow>();
  for (const row of rows) {
    const known = newest.get(row.model);
    if (!known || known.startedAt <= row.startedAt) newest.set(row.model, row);
  }
  return [...newest.values()];
}
