import type { EpochPoint } from '../run/record-curves.ts';
import { formatMetric } from './format.ts';
import type { TextTable } from './headline.ts';
import type { LineChart } from './line-chart.ts';
import type { RunReport } from './run-report.ts';

/**
 * Loss, learning rate and what training has validated over the epochs of all windows, a line per model, the mean of its seeds;
 * empty without training.
 */
export function learningCurves({ curves }: RunReport): readonly LineChart[] {
  if (curves.length === 0) return [];
  const models = [...new Set(curves.map(({ model }) => model))];
  const longest = Math.max(...curves.map(({ epoch }) => epoch));
  const windows = [...new Map(curves.map((point) => [point.windowIndex, point.evaluateWindow]))].sort(
    ([a], [b]) => a - b,
  );
  // Models may have different numbers of epochs: every window is as wide as the longest.
  const slots = windows.flatMap(([windowIndex, id]) =>
    Array.from({ length: longest }, (_, e) => ({
      windowIndex,
      epoch: e + 1,
      label: `before ${id}, epoch ${e + 1}`,
      tick: e === 0 ? `before ${id}` : '',
    })),
  );
  const byKey = new Map<string, EpochPoint[]>();
  for (const point of curves) {
    const key = `${point.model}\n${point.windowIndex}\n${point.epoch}`;
    byKey.set(key, [...(byKey.get(key) ?? []), point]);
  }
  const chart = (title: string, pick: (point: EpochPoint) => number) => ({
    title,
    labels: slots.map(({ label }) => label),
    ticks: slots.map(({ tick }) => tick),
    fromZero: false,
    series: models.map((name) => ({
      name,
      values: slots.map(({ windowIndex, epoch }) => {
        const points = byKey.get(`${name}\n${windowIndex}\n${epoch}`) ?? [];
        // Without a point 0 / 0, a gap.
        return points.reduce((sum, point) => sum + pick(point), 0) / points.length;
      }),
    })),
  });
  const validated = [...new Set(curves.flatMap(({ validation }) => Object.keys(validation)))];
  return [
    chart('Loss by epoch', ({ loss }) => loss),
    chart('Learning rate by epoch', ({ learningRate }) => learningRate),
    ...validated.map((metric) => {
      const { series, ...rest } = chart(
        `${metric} on valid by epoch`,
        ({ validation }) => validation[metric] ?? Number.NaN,
      );
      return { ...rest, series: series.filter(({ values }) => values.some(Number.isFinite)) };
    }),
  ];
}

/** A table of epochs has so many rows at most, of which the last is always one. */
const MAX_EPOCHS = 20;

/** The same as tables: an epoch's mean over all windows and seeds, a column per model; empty without training. */
export function curveTables({
  curves,
}: Pick<RunReport, 'curves'>): readonly (TextTable & { readonly title: string })[] {
  const models = [...new Set(curves.map(({ model }) => model))];
  const table = (title: string, format: (value: number) => string, pick: (point: EpochPoint) => number) => {
    const known = curves.filter((point) => Number.isFinite(pick(point)));
    const epochs = [...new Set(known.map(({ epoch }) => epoch))].sort((a, b) => a - b);
    const every = Math.ceil(epochs.length / MAX_EPOCHS);
    const own = models.filter((name) => known.some(({ model }) => model === name));
    return {
      title: `${title} by epoch`,
      head: ['epoch', ...own],
      rows: epochs
        .filter((_, e) => (epochs.length - 1 - e) % every === 0)
        .map((epoch) => [
          String(epoch),
          ...own.map((name) => {
            const points = known.filter((point) => point.model === name && point.epoch === epoch);
            return format(points.reduce((sum, point) => sum + pick(point), 0) / points.length);
          }),
        ]),
    };
  };
  const validated = [...new Set(curves.flatMap(({ validation }) => Object.keys(validation)))];
  const orNothing = (format: (value: number) => string) => (value: number) =>
    Number.isFinite(value) ? format(value) : '–';
  const tables = [
    table(
      'Loss',
      orNothing((loss) => loss.toFixed(3)),
      ({ loss }) => loss,
    ),
    table(
      'Learning rate',
      orNothing((rate) => String(Number(rate.toPrecision(3)))),
      ({ learningRate }) => learningRate,
    ),
    ...validated.map((metric) =>
      table(`${metric} on valid`, formatMetric, ({ validation }) => validation[metric] ?? Number.NaN),
    ),
  ];
  return tables.filter(({ rows }) => rows.length > 0);
}
