import Table from 'cli-table3';
import { headlineTable, spreadNote, unknownTargetsNote } from './headline.ts';
import type { RunReport } from './run-report.ts';

/** The end of a run at the terminal: the table and how to read it. */
export function renderTerminal(report: RunReport): string {
  const { head, rows } = headlineTable(report);
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, column) => (column === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) table.push([...row]);
  return `${table.toString()}\n${spreadNote(report)}\n${unknownTargetsNote(report)}`;
}
