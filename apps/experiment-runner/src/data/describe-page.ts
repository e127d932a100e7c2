import type { EventsDescription, LogDescription } from '@nimue/data';
import { escapeHtml } from '../report/escape-html.ts';
import { STYLE } from '../report/report-style.ts';
import { columnTable, summaryRows } from './describe-tables.ts';
import { popularityChart, sessionLengthChart } from './distribution-charts.ts';

/** The description of a log as one HTML file, readable offline. */
export function describePage(name: string, log: LogDescription, events: EventsDescription | undefined): string {
  const { head, rows } = columnTable(log);
  const cells = (values: readonly string[], tag: string) =>
    values.map((value) => `<${tag}>${escapeHtml(value)}</${tag}>`).join('');
  const charts = events
    ? `<h2>Sessions by number of events</h2><figure>${sessionLengthChart(events)}</figure>` +
      `<h2>Popularity of the items</h2><figure>${popularityChart(events)}</figure>`
    : '';
  return (
    `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">` +
    `<title>${escapeHtml(name)}</title><style>${STYLE}.bar { fill: var(--c0); } polyline.c0 { stroke: var(--c0); } td:last-child { text-align: left; }</style></head><body><main>` +
    `<h1>${escapeHtml(name)}</h1><div class="wide"><table><tbody>${summaryRows(log, events)
      .map(([label, value]) => `<tr><th>${escapeHtml(label)}</th><td>${escapeHtml(value)}</td></tr>`)
      .join('')}</tbody></table></div>${charts}` +
    `<h2>Columns</h2><div class="wide"><table><thead><tr>${cells(head, 'th')}</tr></thead><tbody>${rows
      .map((row) => `<tr>${cells(row, 'td')}</tr>`)
      .join('')}</tbody></table></div></main></body></html>\n`
  );
}
