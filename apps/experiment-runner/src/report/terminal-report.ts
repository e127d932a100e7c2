import Table from 'cli-table3';
import { bestTables } from './best-tables.ts';
import { headTables } from './head-tables.ts';
import {
  beyondAccuracyTable,
  comparisonNote,
  headlineTable,
  spreadNote,
  type TextTable,
  unknownTargetsNote,
} from './headline.ts';
import { fewItemsNote } from './protocol-notes.ts';
import type { RunReport } from './run-report.ts';

/** The end of a run at the terminal: the table and how to read it. */
export function renderTerminal(report: RunReport): string {
  const beyond = beyondAccuracyTable(report);
  const { sampledNegatives, alsoSampled } = report.experiment.evaluation;
  const notes = [
    spreadNote(report),
    comparisonNote(report),
    unknownTargetsNote(report),
    ...fewItemsNote(report),
    alsoSampled && `of ${alsoSampled + 1} sampled: flattering ranks, to repeat papers that drew them`,
    sampledNegatives && `ranks among ${sampledNegatives} sampled items: not comparable with ranks over the catalogue`,
  ];
  const heads = [...bestTables(report), ...headTables(report)].flatMap(({ title, ...table }) => [
    `${title}:`,
    terminalTable(table),
  ]);
  return [terminalTable(headlineTable(report)), beyond && terminalTable(beyond), ...notes, ...heads]
    .filter(Boolean)
    .join('\n');
}

/** A table with lines around its cells; figures stand to the right. */
export function terminalTable({ head, rows }: TextTable): string {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, column) => (column === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) table.push([...row]);
  return table.toString();
}
