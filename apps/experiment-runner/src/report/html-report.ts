import { stringify } from 'yaml';
import { bestTables } from './best-tables.ts';
import { escapeHtml } from './escape-html.ts';
import { forgettingTables } from './forgetting-tables.ts';
import { headTables } from './head-tables.ts';
import {
  bestCells,
  beyondAccuracyTable,
  comparisonNote,
  headlineTable,
  spreadNote,
  type TextTable,
} from './headline.ts';
import { learningCurves } from './learning-curves.ts';
import { lineClass, renderLineChart } from './line-chart.ts';
import { protocolNotes } from './protocol-notes.ts';
import { STYLE } from './report-style.ts';
import { BAND_NOTE, type RunReport, reportedMetrics, tabulateByWindow } from './run-report.ts';
import { sampleTables } from './sample-tables.ts';
import { sliceTables } from './slice-tables.ts';
import { SPEED_NOTE, speedTable } from './speed-table.ts';
import { overlapTables, seedTables } from './spread-tables.ts';
import { windowTable } from './window-table.ts';

/** The report as one file that needs no network: tables, charts, experiment and environment. */
export function renderHtml(report: RunReport): string {
  const { experiment, environment, skippedWindows, finishedAt } = report;
  const title = escapeHtml(experiment.name);
  const beyond = beyondAccuracyTable(report);
  const body = [
    `<h1>${title}</h1>`,
    `<p>${finishedAt.toISOString()} · backend ${escapeHtml(environment.backend.name)} (${escapeHtml(environment.backend.description)})</p>`,
    htmlTable(headlineTable(report), bestCells(report), 'best'),
    ...[spreadNote(report), comparisonNote(report)].flatMap((note) =>
      note ? [`<p class="note">${escapeHtml(note)}</p>`] : [],
    ),
    ...(beyond ? ['<h2>Beyond accuracy</h2>', htmlTable(beyond)] : []),
    '<h2>How to read the figures</h2>',
    `<ul>${protocolNotes(report)
      .map((note) => `<li>${escapeHtml(note)}</li>`)
      .join('')}</ul>`,
    ...(skippedWindows.length > 0
      ? [
          '<h2>Skipped windows</h2>',
          `<ul>${skippedWindows.map(({ id, reason }) => `<li>${escapeHtml(`${id}: ${reason}`)}</li>`).join('')}</ul>`,
        ]
      : []),
    '<h2>Metrics over the windows</h2>',
    `<div class="pair">${reportedMetrics(report)
      .map((metric) => metricSection(report, metric))
      .join('\n')}</div>`,
    `<p class="note">${escapeHtml(BAND_NOTE)}</p>`,
    ...curveSections(report),
    '<h2>Speed and memory</h2>',
    htmlTable(speedTable(report)),
    `<p class="note">${escapeHtml(SPEED_NOTE)}</p>`,
    ...[
      ...bestTables(report),
      ...seedTables(report),
      ...headTables(report),
      ...forgettingTables(report),
      ...overlapTables(report),
    ].map(({ title: what, ...table }) => `<h2>${escapeHtml(what)}</h2>\n${htmlTable(table)}`),
    ...sliceSections(report),
    ...sampleSections(report),
    '<h2>Experiment</h2>',
    `<p class="note">Data: ${escapeHtml(environment.data.checksum)}</p>`,
    `<details><summary>every option, defaults included</summary><pre>${escapeHtml(stringify(experiment.resolved, { aliasDuplicateObjects: false }))}</pre></details>`,
    '<h2>Environment</h2>',
    `<details><summary>versions, machine, commit, data</summary><pre>${escapeHtml(JSON.stringify(environment, null, 2))}</pre></details>`,
  ];
  return (
    `<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n` +
    `<meta name="viewport" content="width=device-width, initial-scale=1">\n<link rel="icon" href="data:,">\n` +
    `<title>${title}</title>\n<style>${STYLE}</style>\n</head>\n<body>\n<main>\n${body.join('\n')}\n</main>\n</body>\n</html>\n`
  );
}

function metricSection(report: RunReport, metric: string): string {
  const { windows, rows } = tabulateByWindow(report, metric);
  const chart = renderLineChart({
    title: `${metric} per window`,
    labels: windows,
    fromZero: reachesDown(rows.flatMap(({ values }) => values)),
    series: rows.map(({ model, values, errors }) => ({
      name: model,
      values,
      errors,
      colour: colourOf(report, model),
    })),
  });
  const names = rows.map(({ model }) => model);
  const table = htmlTable(windowTable(report, metric));
  return (
    `<section><h3>${escapeHtml(metric)}</h3>\n${figure(report, chart, names)}\n` +
    `<details><summary>${escapeHtml(metric)} per window</summary>${table}</details></section>`
  );
}

/** Whether an axis from 0 shows the values well: far above it they would all lie at the upper edge. */
function reachesDown(values: readonly number[]): boolean {
  const finite = values.filter(Number.isFinite);
  return Math.min(...finite) < 0.5 * Math.max(...finite);
}

function curveSections(report: RunReport): string[] {
  const charts = learningCurves(report).map(({ series, ...chart }) => {
    const coloured = series.map((one) => ({ ...one, colour: colourOf(report, one.name) }));
    const names = series.map(({ name }) => name);
    const drawn = figure(report, renderLineChart({ ...chart, series: coloured }), names);
    return `<section><h3>${escapeHtml(chart.title)}</h3>\n${drawn}</section>`;
  });
  return charts.length === 0 ? [] : ['<h2>Learning curves</h2>', `<div class="pair">${charts.join('\n')}</div>`];
}

/** The same model looks the same in every chart. */
function colourOf({ summaries }: RunReport, model: string): number {
  return summaries.findIndex((summary) => summary.model === model);
}

function sliceSections(report: RunReport): string[] {
  const tables = sliceTables(report).map(
    ({ title, ...table }) => `<section><h3>${escapeHtml(title)}</h3>\n${htmlTable(table)}</section>`,
  );
  return tables.length === 0 ? [] : ['<h2>Parts of the targets</h2>', `<div class="pair">${tables.join('\n')}</div>`];
}

function sampleSections(report: RunReport): string[] {
  const samples = sampleTables(report);
  if (samples.length === 0) return [];
  const sections = samples.map(
    ({ title, seen, next, notes, hits, ...table }) =>
      `<h3>${escapeHtml(title)}</h3>\n<p>${escapeHtml(seen)}${next ? `<br>next: <b>${escapeHtml(next)}</b>` : ''}</p>\n` +
      `<div class="words">${htmlTable(table, hits)}</div>${notes.map((note) => `<p class="note">${escapeHtml(note)}</p>`).join('')}`,
  );
  return ['<h2>Sample recommendations</h2>', ...sections];
}

function figure(report: RunReport, chart: string, names: readonly string[]): string {
  const legend = names.map(
    (name) =>
      `<li><svg viewBox="0 0 16 10"><line class="${lineClass(colourOf(report, name))}" x1="0" x2="16" y1="5" y2="5"/></svg>${escapeHtml(name)}</li>`,
  );
  return `<figure>${chart}<figcaption><ul class="legend">${legend.join('')}</ul></figcaption></figure>`;
}

/** @param hits cells that are set off, as `row,column`, by a class of the style sheet */
function htmlTable({ head, rows }: TextTable, hits: ReadonlySet<string> = new Set(), hit = 'hit'): string {
  const headCells = head.map((cell) => `<th scope="col">${escapeHtml(cell)}</th>`).join('');
  const wrapped = head.indexOf('better than');
  const bodyRows = rows.map(
    ([first, ...rest], row) =>
      `<tr><th scope="row">${escapeHtml(first)}</th>${rest
        .map(
          (cell, i) =>
            `<td${classOf(hits.has(`${row},${i + 1}`) && hit, wrapped === i + 1 && 'wrap')}>${escapeHtml(cell)}</td>`,
        )
        .join('')}</tr>`,
  );
  return `<div class="wide"><table><thead><tr>${headCells}</tr></thead><tbody>${bodyRows.join('')}</tbody></table></div>`;
}

function classOf(...names: readonly (string | false)[]): string {
  const given = names.filter(Boolean);
  return given.length > 0 ? ` class="${given.join(' ')}"` : '';
}
