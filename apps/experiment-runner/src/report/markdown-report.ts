import { stringify } from 'yaml';
import { bestTables } from './best-tables.ts';
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
import { curveTables } from './learning-curves.ts';
import { protocolNotes } from './protocol-notes.ts';
import { ERROR_NOTE, type RunReport, reportedMetrics } from './run-report.ts';
import { sampleTables } from './sample-tables.ts';
import { sliceTables } from './slice-tables.ts';
import { SPEED_NOTE, speedTable } from './speed-table.ts';
import { overlapTables, seedTables } from './spread-tables.ts';
import { windowTable } from './window-table.ts';

/** The report for reading in an editor or on a code host. */
export function renderMarkdown(report: RunReport): string {
  const { experiment, environment, skippedWindows, finishedAt } = report;
  const beyond = beyondAccuracyTable(report);
  const sections = [
    `# ${experiment.name}`,
    `${finishedAt.toISOString()}, backend ${environment.backend.name} (${environment.backend.description}).`,
    markdownTable(withBold(headlineTable(report), bestCells(report))),
    [spreadNote(report), comparisonNote(report)].flatMap((note) => (note ? [`${note}.`] : [])).join('\n\n'),
    ...(beyond ? ['## Beyond accuracy', markdownTable(beyond)] : []),
    '## How to read the figures',
    protocolNotes(report)
      .map((note) => `- ${note}`)
      .join('\n'),
    ...(skippedWindows.length > 0
      ? ['## Skipped windows', skippedWindows.map(({ id, reason }) => `- ${id}: ${reason}`).join('\n')]
      : []),
    ...reportedMetrics(report).flatMap((metric) => {
      return [`## ${metric} per window`, markdownTable(windowTable(report, metric))];
    }),
    ERROR_NOTE,
    ...curveTables(report).flatMap(({ title, ...table }) => [`## ${title}`, markdownTable(table)]),
    '## Speed and memory',
    markdownTable(speedTable(report)),
    SPEED_NOTE,
    ...[
      ...bestTables(report),
      ...seedTables(report),
      ...headTables(report),
      ...forgettingTables(report),
      ...overlapTables(report),
    ].flatMap(({ title, ...table }) => [`## ${title}`, markdownTable(table)]),
    ...sliceTables(report).flatMap(({ title, ...table }) => [`## ${title}`, markdownTable(table)]),
    ...sampleSections(report),
    '## Experiment',
    `Data: ${environment.data.checksum}.`,
    `\`\`\`yaml\n${stringify(experiment.resolved, { aliasDuplicateObjects: false })}\`\`\``,
    '## Environment',
    `\`\`\`json\n${JSON.stringify(environment, null, 2)}\n\`\`\``,
  ];
  return `${sections.join('\n\n')}\n`;
}

function sampleSections(report: RunReport): string[] {
  const samples = sampleTables(report);
  if (samples.length === 0) return [];
  const sections = samples.flatMap(({ title, seen, next, notes, hits, head, rows }) => [
    `### ${title}`,
    [seen, ...(next ? [`next: **${next}**`] : [])].join('\\\n'),
    markdownTable(withBold({ head, rows }, hits)),
    ...notes,
  ]);
  return ['## Sample recommendations', ...sections];
}

/** @param cells as `row,column` */
function withBold({ head, rows }: TextTable, cells: ReadonlySet<string>): TextTable {
  return {
    head,
    rows: rows.map((own, row) => own.map((cell, i) => (cells.has(`${row},${i}`) ? `**${cell}**` : cell))),
  };
}

export function markdownTable({ head, rows }: TextTable): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = `|${head.map((_, column) => (column === 0 ? '---' : '---:')).join('|')}|`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}
