import { summarize } from '@nimue/metrics';
import {
  compareModels,
  evaluatedMetrics,
  type ModelComparison,
  type ModelSummary,
  type WindowResult,
} from '@nimue/trainer';
import type { Experiment } from '../experiment/experiment.ts';
import type { RunEnvironment } from '../run/environment.ts';
import type { EpochPoint, Usage } from '../run/record-curves.ts';
import type { SampleRecommendations } from '../samples/sample-recommendations.ts';

/** What is after the ± of a window, and what the bands of the charts are. */
export const ERROR_NOTE =
  'One standard error, over the seeds where there are several, otherwise over the targets of the window where their values were kept.';
export const BAND_NOTE = `Bands: ${ERROR_NOTE[0].toLowerCase()}${ERROR_NOTE.slice(1)}`;

/** The figures of an evaluation. */
export interface RunFigures {
  readonly experiment: Experiment;
  /** One row per model, references included. */
  readonly summaries: readonly ModelSummary[];
  /** One entry per model, seed and window. */
  readonly results: readonly WindowResult[];
  /** Labels of the rows that need no model. */
  readonly references: readonly string[];
}

/** What a finished run has to tell. */
export interface RunReport extends RunFigures {
  readonly environment: RunEnvironment;
  readonly skippedWindows: readonly { readonly id: string; readonly reason: string }[];
  /** Loss and learning rate by epoch, for the models that are trained step by step. */
  readonly curves: readonly EpochPoint[];
  readonly usage: readonly Usage[];
  /** What the models recommend to some sessions; empty where none was kept. */
  readonly samples: readonly SampleRecommendations[];
  readonly finishedAt: Date;
}

/** Labels of the metrics as every output shows them; those of ranks among sampled items say so. */
export function reportedMetrics({ experiment }: RunFigures): readonly string[] {
  return evaluatedMetrics(experiment.evaluation).map(({ label }) => label);
}

/** The metrics of ranks, which say how good a model is; all where there are no others. */
export function rankMetrics({ experiment }: RunFigures): readonly string[] {
  const all = evaluatedMetrics(experiment.evaluation);
  const ofRanks = all.filter(({ of }) => of === 'ranks');
  return (ofRanks.length > 0 ? ofRanks : all).map(({ label }) => label);
}

/** The metrics of whole lists, beside those of ranks: what a model recommends beyond being right. */
export function listMetrics(report: RunFigures): readonly string[] {
  const ofRanks = rankMetrics(report);
  return reportedMetrics(report).filter((label) => !ofRanks.includes(label));
}

/** Every pair of models, references left out, by the first metric of ranks. */
export function comparisons(report: RunFigures): readonly ModelComparison[] {
  const results = report.results.filter(({ model }) => !report.references.includes(model));
  return compareModels(results, rankMetrics(report)[0]);
}

/** Mean of a metric over the seeds, per model and window. */
export interface MetricTable {
  readonly metric: string;
  readonly windows: readonly string[];
  readonly rows: readonly {
    readonly model: string;
    readonly values: readonly number[];
    /** Standard error of each value: over the seeds, or over the targets of a single seed; NaN where neither is known. */
    readonly errors: readonly number[];
  }[];
}

/** References have no row where the metric looks at lists: they make none. */
export function tabulateByWindow(report: RunFigures, metric: string): MetricTable {
  const { results } = report;
  const windows = [...new Set(results.map((result) => result.evaluateWindow))];
  const own = results.filter(({ metrics }) => metrics[metric] !== undefined);
  const models = [...new Set(own.map((result) => result.model))];
  if (!reportedMetrics(report).includes(metric)) throw new Error(`report: '${metric}' was not evaluated`);
  const summaryOf = (model: string, window: string) => {
    const found = own.filter((result) => result.model === model && result.evaluateWindow === window);
    if (found.length === 0) return { mean: Number.NaN, standardError: Number.NaN };
    const summary = summarize(found.map((result) => result.metrics[metric]));
    const targets = found.length === 1 ? found[0].targetValues?.[metric] : undefined;
    return targets && targets.length > 1 ? { ...summary, standardError: summarize(targets).standardError } : summary;
  };
  return {
    metric,
    windows,
    rows: models.map((model) => {
      const summaries = windows.map((window) => summaryOf(model, window));
      return {
        model,
        values: summaries.map(({ mean }) => mean),
        errors: summaries.map(({ standardError }) => standardError),
      };
    }),
  };
}

/** A model's mean as a share of the oracle's; undefined without an oracle. */
export function shareOfOracle(report: RunFigures, summary: ModelSummary): number | undefined {
  const oracle = report.summaries.find(({ model }) => model === 'oracle' && isGenerated(report.experiment));
  const [metric] = rankMetrics(report);
  const best = oracle?.metrics[metric];
  return best && summary.metrics[metric].mean / best.mean;
}

/** How many targets no model could hit because they were new in the evaluated window, per model (they may differ). */
export function unknownTargets(report: RunFigures): { readonly numUnknown: number; readonly numTargets: number } {
  const counted = report.summaries.filter(({ model }) => !report.references.includes(model));
  const numUnknown = Math.max(0, ...counted.map((summary) => summary.numUnknownTargets / summary.numSeeds));
  const numTargets = Math.max(0, ...counted.map((summary) => summary.numTargets / summary.numSeeds));
  return { numUnknown, numTargets };
}

function isGenerated(experiment: Experiment): boolean {
  return 'generated' in experiment.dataset;
}
