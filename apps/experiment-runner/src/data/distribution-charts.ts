import type { EventsDescription } from '@nimue/data';
import { escapeHtml } from '../report/escape-html.ts';
import { formatCount } from '../report/format.ts';
import { sessionLengthBars } from './session-length-bars.ts';

const WIDTH = 720;
const HEIGHT = 260;
const LEFT = 64;
const BOTTOM = 40;
const TOP = 12;
const PLOT_WIDTH = WIDTH - LEFT - 12;
const PLOT_HEIGHT = HEIGHT - TOP - BOTTOM;

/** Sessions by length, as an SVG bar chart. */
export function sessionLengthChart({ sessionLengths }: EventsDescription): string {
  const bars = sessionLengthBars(sessionLengths);
  const most = Math.max(1, ...bars.map(({ numSessions }) => numSessions));
  const step = PLOT_WIDTH / Math.max(1, bars.length);
  const marks = bars.map(({ label, numSessions }, i) => {
    const height = (numSessions / most) * PLOT_HEIGHT;
    const x = LEFT + i * step;
    return (
      `<rect class="bar" x="${fixed(x + step * 0.1)}" y="${fixed(TOP + PLOT_HEIGHT - height)}" width="${fixed(step * 0.8)}" height="${fixed(height)}">` +
      `<title>${escapeHtml(label)} events: ${formatCount(numSessions)} sessions</title></rect>` +
      `<text x="${fixed(x + step / 2)}" y="${HEIGHT - 22}" text-anchor="middle">${escapeHtml(label)}</text>`
    );
  });
  return svg('Sessions by number of events', 'events in the session', [
    ...grid([0, most / 2, most].map((value) => ({ at: 1 - value / most, label: formatCount(value) }))),
    ...marks,
  ]);
}

/** Events of an item by its place in popularity, both axes logarithmic, as an SVG line. */
export function popularityChart({ itemEvents }: EventsDescription): string {
  const numItems = itemEvents.length;
  const most = Math.max(10, itemEvents[0] ?? 0);
  const x = (rank: number) => LEFT + (Math.log10(rank) / Math.max(1, Math.log10(numItems))) * PLOT_WIDTH;
  const y = (count: number) => 1 - Math.log10(count) / Math.log10(most);
  const points: string[] = [];
  for (let rank = 1; rank <= numItems; rank = Math.max(rank + 1, Math.floor(rank * 1.03))) {
    points.push(`${fixed(x(rank))},${fixed(TOP + y(itemEvents[rank - 1]) * PLOT_HEIGHT)}`);
  }
  if (numItems > 0) points.push(`${fixed(x(numItems))},${fixed(TOP + y(itemEvents[numItems - 1]) * PLOT_HEIGHT)}`);
  const powers = (largest: number) =>
    Array.from({ length: Math.floor(Math.log10(Math.max(1, largest))) + 1 }, (_, power) => 10 ** power);
  const ranks = powers(numItems).map(
    (rank) =>
      `<text x="${fixed(x(rank))}" y="${HEIGHT - 22}" text-anchor="middle">${escapeHtml(formatCount(rank))}</text>`,
  );
  return svg('Events of an item by its place in popularity', 'place of the item', [
    ...grid(powers(most).map((count) => ({ at: y(count), label: formatCount(count) }))),
    ...ranks,
    `<polyline class="c0" points="${points.join(' ')}"/>`,
  ]);
}

/** Both charts as one SVG file that needs no page around it. */
export function chartsFile(description: EventsDescription): string {
  const charts = [sessionLengthChart(description), popularityChart(description)];
  const nested = charts.map((chart, i) => chart.replace('<svg ', `<svg y="${i * HEIGHT}" height="${HEIGHT}" `));
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${charts.length * HEIGHT}" width="${WIDTH}">` +
    '<style>text { font: 12px sans-serif; fill: #555; } .grid { stroke: #ddd; } .bar { fill: #1f6fb4; } polyline { fill: none; stroke: #1f6fb4; stroke-width: 2; }</style>' +
    `<rect width="100%" height="100%" fill="#fff"/>${nested.join('')}</svg>\n`
  );
}

function grid(lines: readonly { readonly at: number; readonly label: string }[]): string[] {
  return lines.map(({ at, label }) => {
    const y = fixed(TOP + at * PLOT_HEIGHT);
    return (
      `<line class="grid" x1="${LEFT}" x2="${LEFT + PLOT_WIDTH}" y1="${y}" y2="${y}"/>` +
      `<text x="${LEFT - 6}" y="${fixed(TOP + at * PLOT_HEIGHT + 4)}" text-anchor="end">${escapeHtml(label)}</text>`
    );
  });
}

function svg(title: string, axis: string, content: readonly string[]): string {
  return (
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(title)}">${content.join('')}` +
    `<text x="${LEFT + PLOT_WIDTH / 2}" y="${HEIGHT - 4}" text-anchor="middle">${escapeHtml(axis)}</text></svg>`
  );
}

function fixed(value: number): string {
  return value.toFixed(1);
}
