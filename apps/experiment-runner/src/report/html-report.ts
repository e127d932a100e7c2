import { stringify } from 'yaml';
import { escapeHtml } from './escape-html.ts';
import { formatMetric } from './format.ts';
import { comparisonNote, headlineTable, spreadNote, type TextTable } from './headline.ts';
import { learningCurves } from './learning-curves.ts';
import { NUM_COLOURS, renderLineChart } from './line-chart.ts';
import { protocolNotes } from './protocol-notes.ts';
import { STYLE } from './report-style.ts';
import { BAND_NOTE, type RunReport, reportedMetrics, tabulateByWindow } from './run-report.ts';
import { sliceTables } from './slice-tables.ts';
import { SPEED_NOTE, speedTable } from './speed-table.ts';

/** The report as one file that needs no network: tables, charts, experiment and environment. */
export function renderHtml(report: RunReport): string {
  const { experiment, environment, skippedWindows, finishedAt } = report;
  const title = escapeHtml(experiment.name);
  const body = [
    `<h1>${title}</h1>`,
    `<p>${finishedAt.toISOString()} · backend ${escapeHtml(environment.backend.name)} (${escapeHtml(environment.backend.description)})</p>`,
    htmlTable(headlineTable(report)),
    ...[spreadNote(report), comparisonNote(report)].flatMap((note) =>
      note ? [`<p class="note">${escapeHtml(note)}</p>`] : [],
    ),
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
    ...reportedMetrics(report).map((metric) => metricSection(report, metric)),
    `<p class="note">${escapeHtml(BAND_NOTE)}</p>`,
    ...curveSections(report),
    '<h2>Speed and memory</h2>',
    htmlTable(speedTable(report)),
    `<p class="note">${escapeHtml(SPEED_NOTE)}</p>`,
    ...sliceTables(report).map(({ title: what, ...table }) => `<h2>${escapeHtml(what)}</h2>\n${htmlTable(table)}`),
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
    series: rows.map(({ model, values, errors }) => ({ name: model, values, errors })),
  });
  const table = htmlTable({
    head: ['window', ...rows.map(({ model }) => model)],
    rows: windows.map((window, i) => [window, ...rows.map(({ values }) => formatMetric(values[i]))]),
  });
  return (
    `<h2>${escapeHtml(metric)} over the windows</h2>\n${figure(
      chart,
      rows.map(({ model }) => model),
    )}\n` + `<details><summary>${escapeHtml(metric)} per window</summary>${table}</details>`
  );
}

function curveSections(report: RunReport): string[] {
  return learningCurves(report).map(
    (chart) =>
      `<h2>${escapeHtml(chart.title)}</h2>\n${figure(
        renderLineChart(chart),
        chart.series.map(({ name }) => name),
      )}`,
  );
}

function figure(chart: string, names: readonly string[]): string {
  const legend = names.map(
    (name, s) =>
      `<li><svg viewBox="0 0 16 10"><line class="c${s % NUM_COLOURS}" x1="0" x2="16" y1="5" y2="5"/></svg>${escapeHtml(name)}</li>`,
  );
  return `<figure>${chart}<figcaption><ul class="legend">${legend.join('')}</ul></figcaption></figure>`;
}

function htmlTable({ head, rows }: TextTable): string {
  const headCells = head.map((cell) => `<th scope="col">${escapeHtml(cell)}</th>`).join('');
  const bodyRows = rows.map(
    ([first, ...rest]) =>
      `<tr><th scope="row">${escapeHtml(first)}</th>${rest.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`,
  );
  return `<div class="wide"><table><thead><tr>${headCells}</tr></thead><tbody>${bodyRows.join('')}</tbody></table></div>`;
}
