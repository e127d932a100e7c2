import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelSummary } from '@nimue/trainer';
import { spreadOf } from '../report/headline.ts';
import type { RunReport } from '../report/run-report.ts';

/** A finished run, as `index.jsonl` holds it. */
export interface IndexedRun {
  readonly experiment: string;
  readonly run: string;
  readonly startedAt: string;
  readonly backend: string;
  readonly commit?: string;
  /** Checksum of the prepared data. */
  readonly data: string;
  readonly split: string;
  readonly models: readonly {
    readonly model: string;
    /** Means and standard errors over windows; of a single window over its seeds. */
    readonly metrics: ModelSummary['metrics'];
    readonly trainSeconds: number;
    /** These four are missing in lines of earlier versions. */
    readonly evaluateSeconds?: number;
    readonly numSeeds?: number;
    readonly numWindows?: number;
    /** Largest resident memory of the process at the end of a window; 0 where it is unknown. */
    readonly memoryBytes?: number;
  }[];
}

const INDEX = 'index.jsonl';

/** Adds a line for the run. */
export async function addToIndex(runsDirectory: string, run: string, report: RunReport): Promise<void> {
  const { experiment, environment, summaries } = report;
  const entry: IndexedRun = {
    experiment: experiment.name,
    run,
    startedAt: environment.startedAt,
    backend: environment.backend.name,
    ...(environment.git && { commit: environment.git.commit }),
    data: environment.data.checksum,
    split: experiment.evaluation.split,
    models: summaries.map((summary) => ({
      model: summary.model,
      metrics: Object.fromEntries(Object.keys(summary.metrics).map((metric) => [metric, spreadOf(summary, metric)])),
      trainSeconds: summary.trainSeconds,
      evaluateSeconds: summary.evaluateSeconds,
      numSeeds: summary.numSeeds,
      numWindows: summary.numWindows,
      memoryBytes: report.usage.find((own) => own.model === summary.model)?.memoryBytes ?? 0,
    })),
  };
  await appendFile(join(runsDirectory, INDEX), `${JSON.stringify(entry)}\n`);
}

/** Every finished run of a folder, oldest first; a line that was cut off while it was written is left out. */
export async function readIndex(runsDirectory: string): Promise<IndexedRun[]> {
  const text = await readFile(join(runsDirectory, INDEX), 'utf8').catch(() => '');
  const lines = text.split('\n');
  return lines.slice(0, -1).map((line) => JSON.parse(line) as IndexedRun);
}
