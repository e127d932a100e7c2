import { formatCount, formatSummary } from './format.ts';
import type { TextTable } from './headline.ts';
import type { RunReport } from './run-report.ts';

/** One table per head that some model has beside the ranking of items: model × figure, mean ± standard error over the windows. */
export function headTables({ summaries }: RunReport): readonly (TextTable & { readonly title: string })[] {
  const names = [...new Set(summaries.flatMap(({ heads }) => heads.map(({ head }) => head)))];
  return names.map((name) => {
    const rows = summaries.flatMap(({ model, numSeeds, heads }) =>
      heads.filter(({ head }) => head === name).map((head) => ({ model, numSeeds, ...head })),
    );
    const metrics = [...new Set(rows.flatMap((row) => Object.keys(row.metrics)))];
    return {
      title: `${rows[0].kind} head ${name}`,
      head: ['model', 'labels', ...metrics],
      rows: rows.map((row) => [
        row.model,
        formatCount(row.numLabels / row.numSeeds),
        ...metrics.map((metric) => (row.metrics[metric] ? formatSummary(row.metrics[metric]) : '–')),
      ]),
    };
  });
}
