import Table from 'cli-table3';
import { comparisonNote, headlineTable, spreadNote, unknownTargetsNote } from './headline.ts';
import { fewItemsNote } from './protocol-notes.ts';
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
  const { sampledNegatives } = report.experiment.evaluation;
  const notes = [
    spreadNote(report),
    comparisonNote(report),
    unknownTargetsNote(report),
    ...fewItemsNote(report),
    sampledNegatives && `ranks among ${sampledNegatives} sampled items: not comparable with ranks over the catalogue`,
  ];
  return [table.toString(), ...notes.filter(Boolean)].join('\n');
}
