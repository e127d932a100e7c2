import { summarize } from '@nimue/metrics';
import { formatMetric, formatSummary } from './format.ts';
import type { TextTable } from './headline.ts';
import { type RunFigures, reportedMetrics } from './run-report.ts';

/**
 * What the best epochs of `training.keepBest` reach, a row per model and metric that chose them: mean ± standard error over the
 * windows and seeds.
 */
export function bestTables(report: RunFigures): readonly (TextTable & { readonly title: string })[] {
  const found = report.results.flatMap(({ model, best = [] }) => best.map((one) => ({ model, ...one })));
  if (found.length === 0) return [];
  const keys = [
    ...new Map(found.map(({ model, metric }) => [JSON.stringify([model, metric]), { model, metric }])).values(),
  ];
  const metrics = reportedMetrics(report).filter((label) => found.some((one) => label in one.metrics));
  return [
    {
      title: `Best epochs, chosen on valid, on ${report.experiment.evaluation.split}`,
      head: ['model', 'best by', 'epoch', 'valid', ...metrics],
      rows: keys.map(({ model, metric }) => {
        const own = found.filter((one) => one.model === model && one.metric === metric);
        const epochs = own.map(({ epoch }) => epoch);
        const [first, last] = [Math.min(...epochs), Math.max(...epochs)];
        return [
          model,
          metric,
          first === last ? String(first) : `${first}–${last}`,
          formatMetric(summarize(own.map(({ value }) => value)).mean),
          ...metrics.map((label) => formatSummary(summarize(own.map((one) => one.metrics[label] ?? Number.NaN)))),
        ];
      }),
    },
  ];
}
