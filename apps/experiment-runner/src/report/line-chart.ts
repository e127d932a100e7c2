import { escapeHtml } from './escape-html.ts';
import { formatMetric } from './format.ts';

export interface LineChart {
  readonly title: string;
  /** One per point, in order. */
  readonly labels: readonly string[];
  readonly series: readonly ChartSeries[];
  /** Text below the axis at each point, empty for none. Default: the labels. */
  readonly ticks?: readonly string[];
  /** Whether the axis begins at 0. Default true; a loss shows its course better without. */
  readonly fromZero?: boolean;
}

export interface ChartSeries {
  readonly name: string;
  /** A value that is not finite has no dot; the line goes on to the next one that is. */
  readonly values: readonly number[];
  /** Half the height of a band around the line; NaN for none. */
  readonly errors?: readonly number[];
  /** Number of its look in the style sheet: eight colours, then the same dashed, then dotted. Default: its place among the series. */
  readonly colour?: number;
}

/** Of a letter below the axis, in the units of the drawing. */
const LETTER_WIDTH = 9;
const WIDTH = 720;
const HEIGHT = 300;
const MARGIN = { top: 12, right: 12, bottom: 36, left: 64 };
const NUM_COLOURS = 8;
const NUM_DASHES = 3;

/** The classes of the report's style sheet by which lines are told apart: a colour `c0` … and from the ninth line on a dash `d1` … */
export function lineClass(number: number): string {
  const dash = Math.floor(number / NUM_COLOURS) % NUM_DASHES;
  return `c${number % NUM_COLOURS}${dash === 0 ? '' : ` d${dash}`}`;
}

/** A line chart as inline SVG; colours come from the page's style sheet, so it follows light and dark. */
export function renderLineChart({ title, labels, series, ticks: texts = labels, fromZero = true }: LineChart): string {
  const finite = series.flatMap(({ values }) => values.filter(Number.isFinite));
  const { bottom, top } = axisOf(finite, fromZero);
  const innerWidth = WIDTH - MARGIN.left - MARGIN.right;
  const innerHeight = HEIGHT - MARGIN.top - MARGIN.bottom;
  const x = (i: number) =>
    MARGIN.left + (labels.length === 1 ? innerWidth / 2 : (i * innerWidth) / (labels.length - 1));
  const y = (value: number) => MARGIN.top + innerHeight * (1 - (value - bottom) / (top - bottom));
  const at = (i: number, value: number) => `${x(i).toFixed(1)},${y(value).toFixed(1)}`;

  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const value = bottom + share * (top - bottom);
    const height = y(value).toFixed(1);
    return (
      `<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${height}" y2="${height}"/>` +
      `<text x="${MARGIN.left - 6}" y="${height}" text-anchor="end" dominant-baseline="middle">${formatTick(value)}</text>`
    );
  });
  // At most six texts, and no more than fit side by side.
  const marks = texts.flatMap((text, i) => (text === '' ? [] : [i]));
  const widest = Math.max(1, ...texts.map((text) => text.length)) * LETTER_WIDTH + 16;
  const every = Math.max(1, Math.ceil(marks.length / 6), Math.ceil((marks.length * widest) / innerWidth));
  const ticks = marks.map((i, m) => {
    if (m % every !== 0) return '';
    const anchor = labels.length > 1 && i === 0 ? 'start' : i === labels.length - 1 && i > 0 ? 'end' : 'middle';
    return `<text x="${x(i).toFixed(1)}" y="${HEIGHT - 14}" text-anchor="${anchor}">${escapeHtml(texts[i])}</text>`;
  });
  const bands = series.map(({ values, errors = [], colour }, s) => {
    const known = values.flatMap((value, i) => (Number.isFinite(value) && Number.isFinite(errors[i]) ? [i] : []));
    if (known.length < 2) return '';
    const upper = known.map((i) => at(i, Math.min(top, values[i] + errors[i])));
    const lower = known.map((i) => at(i, Math.max(bottom, values[i] - errors[i]))).reverse();
    return `<polygon class="b${(colour ?? s) % NUM_COLOURS}" points="${[...upper, ...lower].join(' ')}"/>`;
  });
  const lines = series.map(({ name, values, colour: number }, s) => {
    const look = number ?? s;
    const colour = `c${look % NUM_COLOURS}`;
    const dots = values.map((value, i) => {
      if (!Number.isFinite(value)) return '';
      const [cx, cy] = at(i, value).split(',');
      const tip = escapeHtml(`${name}, ${labels[i]}: ${formatMetric(value)}`);
      return `<circle class="${colour}" cx="${cx}" cy="${cy}" r="${values.length > 60 ? 1.5 : 3}"><title>${tip}</title></circle>`;
    });
    return `<polyline class="${lineClass(look)}" points="${values.flatMap((value, i) => (Number.isFinite(value) ? [at(i, value)] : [])).join(' ')}"/>${dots.join('')}`;
  });
  return (
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(title)}">` +
    `${grid.join('')}${ticks.join('')}${bands.join('')}${lines.join('')}</svg>`
  );
}

/** `.375`, `12.5`, `1.4e-4`: short enough for the margin. */
function formatTick(value: number): string {
  if (value === 0) return '0';
  if (Math.abs(value) < 0.001) return value.toExponential(1);
  return String(Number(value.toPrecision(4))).replace(/^0\./, '.');
}

/** Ends of the value axis. */
function axisOf(values: readonly number[], fromZero: boolean): { readonly bottom: number; readonly top: number } {
  const most = Math.max(...values, 0);
  const least = Math.min(...values);
  if (fromZero || !(most > least)) return { bottom: 0, top: niceCeiling(most) };
  const step = niceCeiling((most - least) / 4);
  return { bottom: Math.floor(least / step) * step, top: Math.ceil(most / step) * step };
}

/** The next of 1, 2, 2.5, 5, 10 … above; 1 for nothing. */
function niceCeiling(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= value) ?? 10) * power;
}
