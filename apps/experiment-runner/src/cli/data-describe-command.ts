import { writeFile } from 'node:fs/promises';
import { describeEvents } from '@nimue/data';
import Table from 'cli-table3';
import { type ChooseLogOptions, chooseLog } from '../data/choose-log.ts';
import { describePage } from '../data/describe-page.ts';
import { columnTable, summaryRows } from '../data/describe-tables.ts';
import { chartsFile } from '../data/distribution-charts.ts';
import { InputError } from '../input-error.ts';
import { asInput } from '../run/input-step.ts';

export interface DataDescribeCommandOptions extends ChooseLogOptions {
  readonly draw?: string;
  readonly json?: boolean;
}

/** `nimue data describe <file|name>` */
export async function dataDescribeCommand(name: string, options: DataDescribeCommandOptions): Promise<void> {
  const { draw, json } = options;
  if (draw !== undefined && !/\.(html|svg)$/i.test(draw)) {
    throw new InputError(`--draw ${draw}: expected a name that ends with .html or .svg`);
  }
  const { description, dataset, sessions, missing } = await asInput('', () => chooseLog(name, options));
  const events = dataset && sessions && (await asInput('', () => describeEvents(dataset, sessions)));
  if (draw !== undefined) {
    if (!events) throw new InputError(`--draw: no column was recognized for ${missing}; give it`);
    const content = /\.svg$/i.test(draw) ? chartsFile(events) : describePage(name, description, events);
    await writeFile(draw, content).catch((error: Error) => {
      throw new InputError(`${draw}: cannot be written (${error.message})`);
    });
  }
  if (json) {
    const columns = dataset?.columns;
    const counts = events && { ...events, itemEvents: [...events.itemEvents] };
    process.stdout.write(`${JSON.stringify({ ...description, roles: columns, ...counts }, null, 2)}\n`);
    return;
  }
  const style = { head: [], border: [], compact: true };
  const summary = new Table({ style });
  summary.push(...summaryRows(description, events).map((row) => [...row]));
  const { head, rows } = columnTable(description);
  const columns = new Table({ head, style });
  columns.push(...rows);
  process.stdout.write(`${summary.toString()}\n${columns.toString()}\n`);
  if (dataset) {
    const roles = Object.entries(dataset.columns).map(([role, column]) => `${role} = ${column}`);
    process.stdout.write(`read as: ${roles.join(', ')}\n`);
  }
  if (missing) process.stdout.write(`no column was recognized for ${missing}; give it to see sessions and items\n`);
  if (draw !== undefined) process.stdout.write(`wrote ${draw}\n`);
}
