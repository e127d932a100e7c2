import type { ModelSummary, WindowResult } from '@nimue/trainer';
import type { Experiment } from '../experiment/experiment.ts';
import type { RunEnvironment } from '../run/environment.ts';

/** What a finished run has to tell. */
export interface RunReport {
  readonly experiment: Experiment;
  readonly environment: RunEnvironment;
  /** One row per model, references included. */
  readonly summaries: readonly ModelSummary[];
  /** One entry per model, seed and window. */
  readonly results: readonly WindowResult[];
  /** Labels of the rows that need no model. */
  readonly references: readonly string[];
  readonly skippedWindows: readonly { readonly id: string; readonly reason: string }[];
  readonly finishedAt: Date;
}

/** Mean of a metric over the seeds, per model and window. */
export interface MetricTable {
  readonly metric: string;
  readonly windows: readonly string[];
  readonly rows: readonly { readonly model: string; readonly values: readonly number[] }[];
}

export function tabulateByWindow({ results, experiment }: RunReport, metric: string): MetricTable {
  const windows = [...new Set(results.map((result) => result.evaluateWindow))];
  const models = [...new Set(results.map((result) => result.model))];
  if (!experiment.evaluation.metrics.includes(metric)) throw new Error(`report: '${metric}' was not evaluated`);
  const meanOf = (model: string, window: string) => {
    const values = results
      .filter((result) => result.model === model && result.evaluateWindow === window)
      .map((result) => result.metrics[metric]);
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  return {
    metric,
    windows,
    rows: models.map((model) => ({ model, values: windows.map((window) => meanOf(model, window)) })),
  };
}

/** A model's mean as a share of the oracle's; undefined without an oracle. */
export function shareOfOracle({ summaries, experiment }: RunReport, summary: ModelSummary): number | undefined {
  const oracle = summaries.find(({ model }) => model === 'oracle' && isGenerated(experiment));
  const metric = experiment.evaluation.metrics[0];
  return oracle && summary.metrics[metric].mean / oracle.metrics[metric].mean;
}

/** How many targets no model could hit because they were new in the evaluated window, per model (they may differ). */
export function unknownTargets(report: RunReport): { readonly numUnknown: number; readonly numTargets: number } {
  const counted = report.summaries.filter(({ model }) => !report.references.includes(model));
  const numUnknown = Math.max(0, ...counted.map((summary) => summary.numUnknownTargets / summary.numSeeds));
  const numTargets = Math.max(0, ...counted.map((summary) => summary.numTargets / summary.numSeeds));
  return { numUnknown, numTargets };
}

function isGenerated(experiment: Experiment): boolean {
  return 'generated' in experiment.dataset;
}
