import { compareLists } from '@nimue/trainer';
import { formatMetric, formatSummary } from './format.ts';
import type { TextTable } from './headline.ts';
import { type RunReport, reportedMetrics } from './run-report.ts';

type TitledTable = TextTable & { readonly title: string };

/** How far the seeds of a model lie apart: mean ± standard error over the seeds, each averaged over the windows. */
export function seedTables(report: RunReport): readonly TitledTable[] {
  const several = report.summaries.filter(({ numSeeds }) => numSeeds > 1);
  if (several.length === 0) return [];
  const metrics = reportedMetrics(report);
  return [
    {
      title: `Over the ${several[0].numSeeds} seeds`,
      head: ['model', ...metrics],
      rows: several.map(({ model, overSeeds }) => [
        model,
        ...metrics.map((metric) => (overSeeds[metric] ? formatSummary(overSeeds[metric]) : '–')),
      ]),
    },
  ];
}

/** How much of what two models recommend in the last window is the same, where the experiment asks for it. */
export function overlapTables({ results }: RunReport): readonly TitledTable[] {
  const overlaps = compareLists(results);
  if (overlaps.length === 0) return [];
  const models = [...new Set(overlaps.flatMap(({ a, b }) => [a, b]))];
  const between = (one: string, other: string) =>
    overlaps.find(({ a, b }) => (a === one && b === other) || (a === other && b === one))?.overlap ?? Number.NaN;
  return [
    {
      title: `Overlap of the first ${overlaps[0].k} places in the last window`,
      head: ['model', ...models],
      rows: models.map((one) => [one, ...models.map((other) => formatMetric(one === other ? 1 : between(one, other)))]),
    },
  ];
}
