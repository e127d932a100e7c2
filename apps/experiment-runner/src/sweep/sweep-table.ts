import type { Outcome } from '@nimue/executor';
import { labelOf } from '../experiment/resolve-experiment.ts';
import { formatSummary } from '../report/format.ts';
import type { TextTable } from '../report/headline.ts';
import type { CellResult } from './cell-pool.ts';
import type { Cell } from './plan-cells.ts';

export interface FinishedCell {
  readonly cell: Cell;
  readonly outcome: Outcome<CellResult>;
}

/** A row per cell and model, the best first, failed cells with their errors at the end. */
export function sweepTable(cells: readonly FinishedCell[], metric: string): TextTable {
  const paths = [...new Set(cells.flatMap(({ cell }) => Object.keys(cell)))];
  const valuesOf = (cell: Cell) => paths.map((path) => (path in cell ? showValue(path, cell[path]) : '–'));
  const done = cells.flatMap(({ cell, outcome }) =>
    outcome.status === 'failed'
      ? []
      : outcome.result.models.flatMap(({ model, metrics, trainSeconds }) =>
          metrics[metric] && model !== 'oracle'
            ? [{ cell, status: outcome.status, model, summary: metrics[metric], trainSeconds }]
            : [],
        ),
  );
  done.sort((a, b) => b.summary.mean - a.summary.mean);
  return {
    head: [...paths, 'model', metric, 'train s', 'status'],
    rows: [
      ...done.map(({ cell, status, model, summary, trainSeconds }) => [
        ...valuesOf(cell),
        model,
        formatSummary({ mean: summary.mean, standardError: summary.standardError ?? Number.NaN, count: 1 }),
        trainSeconds.toFixed(1),
        status,
      ]),
      ...cells.flatMap(({ cell, outcome }) =>
        outcome.status === 'failed' ? [[...valuesOf(cell), '–', '–', '–', `failed: ${outcome.error}`]] : [],
      ),
    ],
  };
}

/** The best model of a cell by the metric; the oracle is no model. */
export function scoreOf({ models }: CellResult, metric: string): number {
  const own = models.filter(({ model, metrics }) => model !== 'oracle' && metrics[metric]);
  return Math.max(Number.NEGATIVE_INFINITY, ...own.map(({ metrics }) => metrics[metric].mean));
}

/** `training.epochs 3, models sasrec` */
export function describeCell(cell: Cell): string {
  return Object.entries(cell)
    .map(([path, value]) => `${path} ${showValue(path, value)}`)
    .join(', ');
}

function showValue(path: string, value: unknown): string {
  if (path === 'models' && Array.isArray(value)) return value.map((entry) => labelOf(entry as object)).join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
