import { formatCount, formatMetric } from './format.ts';
import type { TextTable } from './headline.ts';
import type { RunFigures } from './run-report.ts';

/** One table per slice and metric of ranks: parts of the targets × models. Targets of all windows and seeds together. */
export function sliceTables({ summaries }: RunFigures): readonly (TextTable & { readonly title: string })[] {
  const sliced = summaries.filter(({ slices }) => slices.length > 0);
  if (sliced.length === 0) return [];
  const names = [...new Set(sliced[0].slices.map(({ slice }) => slice))];
  return names.flatMap((name) => {
    const partsOf = (s: number) => sliced[s].slices.filter(({ slice }) => slice === name);
    const metrics = Object.keys(partsOf(0)[0].metrics);
    return metrics.map((metric) => ({
      title: `${metric} by ${name}`,
      head: [name, 'targets', ...sliced.map(({ model }) => model)],
      rows: partsOf(0).map(({ part, numTargets }) => [
        part,
        formatCount(numTargets / sliced[0].numSeeds),
        ...sliced.map((_, s) =>
          formatMetric(partsOf(s).find((row) => row.part === part)?.metrics[metric] ?? Number.NaN),
        ),
      ]),
    }));
  });
}
