import type { WindowResult } from '@nimue/trainer';

/** One figure of a run: the long form that spreadsheets and data frames like best. */
export interface MetricRow {
  readonly model: string;
  readonly seed: number;
  readonly window_index: number;
  readonly window: string;
  /** `ndcg@20` …, or a count or time of the window such as `numTargets` and `trainSeconds`. */
  readonly metric: string;
  readonly value: number;
}

const COUNTS = [
  'loss',
  'numTargets',
  'numUnknownTargets',
  'numExcludedTargets',
  'numItems',
  'numTrainEvents',
  'trainSeconds',
  'evaluateSeconds',
] as const;

/** A row per model, seed, window and figure. */
export function metricRows(results: readonly WindowResult[]): MetricRow[] {
  return results.flatMap((result) => {
    const { model, seed, windowIndex, evaluateWindow } = result;
    const counts = COUNTS.map((name) => [name, result[name]] as const);
    const heads = (result.heads ?? []).flatMap(({ head, metrics }) =>
      Object.entries(metrics).map(([metric, value]) => [`${metric} of ${head}`, value] as const),
    );
    const best = (result.best ?? []).flatMap(({ metric: by, epoch, value, metrics }) => [
      ...Object.entries(metrics).map(([metric, own]) => [`${metric} at best ${by}`, own] as const),
      [`valid ${by} at best ${by}`, value] as const,
      [`epoch of best ${by}`, epoch] as const,
    ]);
    const earlier = (result.earlier ?? []).flatMap(({ window, metrics }) =>
      Object.entries(metrics).map(([metric, value]) => [`${metric} on earlier ${window}`, value] as const),
    );
    return [...Object.entries(result.metrics), ...heads, ...best, ...earlier, ...counts].flatMap(([metric, value]) =>
      value === undefined ? [] : [{ model, seed, window_index: windowIndex, window: evaluateWindow, metric, value }],
    );
  });
}

/** The rows as CSV (RFC 4180): commas, quotes where a cell needs them, full precision. */
export function metricsCsv(rows: readonly MetricRow[]): string {
  const names = ['model', 'seed', 'window_index', 'window', 'metric', 'value'] as const;
  const cell = (value: string | number) => {
    const text = String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [names.join(','), ...rows.map((row) => names.map((name) => cell(row[name])).join(','))]
    .join('\n')
    .concat('\n');
}
