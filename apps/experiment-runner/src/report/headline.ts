import type { Summary } from '@nimue/metrics';
import { betterThan, type ModelSummary } from '@nimue/trainer';
import { formatCount, formatShare, formatSummary } from './format.ts';
import { comparisons, listMetrics, type RunFigures, rankMetrics, shareOfOracle, unknownTargets } from './run-report.ts';

/** A table as text cells. */
export interface TextTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Model × metric, mean ± standard error over the windows. */
export function headlineTable(report: RunFigures): TextTable {
  const metrics = rankMetrics(report);
  const compared = comparisons(report);
  const hasOracle = report.summaries.some((summary) => shareOfOracle(report, summary) !== undefined);
  return {
    head: [
      'model',
      ...metrics,
      ...(hasOracle ? [`${metrics[0]} of oracle`] : []),
      ...(compared.length > 0 ? ['better than'] : []),
      'train s',
      'evaluate s',
    ],
    rows: report.summaries.map((summary) => [
      summary.model,
      ...metrics.map((metric) => (summary.metrics[metric] ? formatSummary(spreadOf(summary, metric)) : '–')),
      ...(hasOracle ? [formatShare(shareOfOracle(report, summary) ?? Number.NaN)] : []),
      ...(compared.length > 0 ? [betterThan(compared, summary.model).join(', ') || '–'] : []),
      summary.trainSeconds.toFixed(1),
      summary.evaluateSeconds.toFixed(1),
    ]),
  };
}

/** Cells of the headline with the best mean of a metric, as `row,column`; rows that need no model do not count. */
export function bestCells(report: RunFigures): ReadonlySet<string> {
  const { summaries, references } = report;
  const cells = rankMetrics(report).flatMap((metric, m) => {
    const means = summaries.map((own) => (references.includes(own.model) ? Number.NaN : own.metrics[metric]?.mean));
    const most = Math.max(...means.filter(Number.isFinite));
    return means.flatMap((mean, row) => (mean === most ? [`${row},${m + 1}`] : []));
  });
  return new Set(cells);
}

/** Coverage, novelty and the like, model by model; undefined where none is evaluated. */
export function beyondAccuracyTable(report: RunFigures): TextTable | undefined {
  const metrics = listMetrics(report);
  if (metrics.length === 0) return undefined;
  const models = report.summaries.filter(({ metrics: own }) => metrics.some((metric) => own[metric]));
  return {
    head: ['model', ...metrics],
    rows: models.map(({ model, metrics: own }) => [
      model,
      ...metrics.map((metric) => (own[metric] ? formatSummary(own[metric]) : '–')),
    ]),
  };
}

/** Mean and standard error over the windows; of a single window over the seeds. */
export function spreadOf({ numWindows, numSeeds, metrics, overSeeds }: ModelSummary, metric: string): Summary {
  return numWindows === 1 && numSeeds > 1 ? overSeeds[metric] : metrics[metric];
}

/** What the ± stands for. */
export function spreadNote({ summaries }: RunFigures): string {
  const numWindows = summaries[0].numWindows;
  const numSeeds = Math.max(...summaries.map((summary) => summary.numSeeds));
  if (numWindows === 1 && numSeeds > 1) return `mean ± standard error over ${numSeeds} seeds in one window`;
  const seeds = numSeeds > 1 ? `, each window averaged over ${numSeeds} seeds` : '';
  return `mean ± standard error over ${numWindows} window${numWindows === 1 ? '' : 's'}${seeds}`;
}

/** What "better than" stands on; nothing where models could not be compared. */
export function comparisonNote(report: RunFigures): string | undefined {
  const compared = comparisons(report);
  if (compared.length === 0) return undefined;
  const [{ metric, unit, count }] = compared;
  const pairs = compared.length === 1 ? '1 pair' : `${compared.length} pairs`;
  return (
    `better than: by ${metric} over ${formatCount(count)} ${unit}s, where a paired t test and a paired bootstrap both say so ` +
    `at .05 / ${pairs} of models (Bonferroni)`
  );
}

/** `12 of 5,250 targets were items that no train window had shown; they count as misses` */
export function unknownTargetsNote(report: RunFigures): string {
  const { numUnknown, numTargets } = unknownTargets(report);
  return (
    `${formatCount(numUnknown)} of ${formatCount(numTargets)} targets were items that no train window had shown; ` +
    'they count as misses'
  );
}
