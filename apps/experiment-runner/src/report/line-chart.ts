import { escapeHtml } from './escape-html.ts';
import { formatMetric } from './format.ts';

export interface LineChart {
  readonly title: string;
  /** One per point, in order. */
  readonly labels: readonly string[];
  readonly series: readonly { readonly name: string; readonly values: readonly number[] }[];
}

const WIDTH = 720;
const HEIGHT = 300;
const MARGIN = { top: 12, right: 12, bottom: 36, left: 48 };
/** Classes `c0` … of the report's style sheet. */
export const NUM_COLOURS = 8;

/** A line chart as inline SVG; colours come from the page's style sheet, so it follows light and dark. */
export function renderLineChart({ title, labels, series }: LineChart): string {
  const top = niceCeiling(Math.max(...series.flatMap(({ values }) => values), 0));
  const innerWidth = WIDTH - MARGIN.left - MARGIN.right;
  const innerHeight = HEIGHT - MARGIN.top - MARGIN.bottom;
  const x = (i: number) =>
    MARGIN.left + (labels.length === 1 ? innerWidth / 2 : (i * innerWidth) / (labels.length - 1));
  const y = (value: number) => MARGIN.top + innerHeight * (1 - value / top);
  const at = (i: number, value: number) => `${x(i).toFixed(1)},${y(value).toFixed(1)}`;

  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const height = y(share * top).toFixed(1);
    return (
      `<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${height}" y2="${height}"/>` +
      `<text x="${MARGIN.left - 6}" y="${height}" text-anchor="end" dominant-baseline="middle">${formatMetric(share * top)}</text>`
    );
  });
  // At most six labels, so that they do not run into one another.
  const every = Math.ceil(labels.length / 6);
  const ticks = labels.map((label, i) => {
    if (i % every !== 0) return '';
    const anchor = labels.length > 1 && i === 0 ? 'start' : i === labels.length - 1 && i > 0 ? 'end' : 'middle';
    return `<text x="${x(i).toFixed(1)}" y="${HEIGHT - 14}" text-anchor="${anchor}">${escapeHtml(label)}</text>`;
  });
  const lines = series.map(({ name, values }, s) => {
    const colour = `c${s % NUM_COLOURS}`;
    const dots = values.map((value, i) => {
      const [cx, cy] = at(i, value).split(',');
      const tip = escapeHtml(`${name}, ${labels[i]}: ${formatMetric(value)}`);
      return `<circle class="${colour}" cx="${cx}" cy="${cy}" r="${values.length > 60 ? 1.5 : 3}"><title>${tip}</title></circle>`;
    });
    return `<polyline class="${colour}" points="${values.map((value, i) => at(i, value)).join(' ')}"/>${dots.join('')}`;
  });
  return (
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(title)}">` +
    `${grid.join('')}${ticks.join('')}${lines.join('')}</svg>`
  );
}

/** The next of 1, 2, 2.5, 5, 10 … above; 1 for nothing. */
function niceCeiling(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= value) ?? 10) * power;
}
