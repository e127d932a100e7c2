import { summarizeForgetting } from '@nimue/trainer';
import { formatMetric } from './format.ts';
import type { TextTable } from './headline.ts';
import { type RunFigures, reportedMetrics } from './run-report.ts';

/** What is lost of a window by the number of windows learned since, where `evaluation.earlierWindows` asks for it. */
export function forgettingTables(report: RunFigures): readonly (TextTable & { readonly title: string })[] {
  const found = summarizeForgetting(report.results);
  if (found.length === 0) return [];
  const metrics = reportedMetrics(report).filter((label) => found.some(({ forgotten }) => label in forgotten));
  return [
    {
      title: 'Forgotten of windows that were learned',
      head: ['model', 'windows since', ...metrics],
      rows: found.map(({ model, numWindowsSince, forgotten }) => [
        model,
        String(numWindowsSince),
        ...metrics.map((label) => formatMetric(forgotten[label] ?? Number.NaN)),
      ]),
    },
  ];
}
