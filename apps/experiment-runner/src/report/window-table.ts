import { formatMetric, formatSummary } from './format.ts';
import type { TextTable } from './headline.ts';
import { type RunFigures, tabulateByWindow } from './run-report.ts';

/** A metric window by window, a column per model: mean of its seeds, with the standard error where it is known. */
export function windowTable(report: RunFigures, metric: string): TextTable {
  const { windows, rows } = tabulateByWindow(report, metric);
  return {
    head: ['window', ...rows.map(({ model }) => model)],
    rows: windows.map((window, i) => [
      window,
      ...rows.map(({ values, errors }) =>
        Number.isFinite(errors[i])
          ? formatSummary({ mean: values[i], standardError: errors[i], count: 1 })
          : formatMetric(values[i]),
      ),
    ]),
  };
}
