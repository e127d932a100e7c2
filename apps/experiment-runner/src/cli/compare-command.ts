import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Table from 'cli-table3';
import { didYouMean } from '../experiment/known-keys.ts';
import { InputError } from '../input-error.ts';
import { formatSummary } from '../report/format.ts';
import { reportJson } from '../report/report-json.ts';
import { readIndex } from '../run/run-index.ts';

export interface CompareCommandOptions {
  readonly where: readonly string[];
  readonly metric?: string;
  readonly json?: boolean;
}

const FIELDS = ['experiment', 'model', 'backend', 'commit', 'data', 'split'] as const;
type Field = (typeof FIELDS)[number];

/** `nimue compare [folder]` */
export async function compareCommand(folder: string, { where, metric, json }: CompareCommandOptions): Promise<void> {
  const filters = where.map(parseFilter);
  const runs = await readIndex(folder);
  if (runs.length === 0) throw new InputError(`${folder}: no finished run in index.jsonl; nimue run adds one`);
  const rows = runs.flatMap(({ models, ...run }) =>
    models
      .map(({ model, metrics, trainSeconds }) => ({ ...run, model, metrics, trainSeconds }))
      .filter((row) => filters.every(({ field, pattern }) => pattern.test(String(row[field] ?? '')))),
  );
  if (rows.length === 0) throw new InputError(`${folder}: none of ${runs.length} runs fits ${where.join(', ')}`);
  const metrics = [...new Set(rows.flatMap((row) => Object.keys(row.metrics)))];
  if (metric !== undefined && !metrics.includes(metric)) {
    throw new InputError(`--metric ${metric}: the runs have ${metrics.join(', ')}${didYouMean(metric, metrics)}`);
  }
  const by = metric ?? metrics[0];
  rows.sort(
    (a, b) => (b.metrics[by]?.mean ?? Number.NEGATIVE_INFINITY) - (a.metrics[by]?.mean ?? Number.NEGATIVE_INFINITY),
  );
  if (json) {
    process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
    return;
  }
  const table = new Table({
    head: ['experiment', 'model', ...metrics, 'split', 'train s', 'run'],
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) {
    const figures = metrics.map((name) => {
      const { mean, standardError, count } = row.metrics[name] ?? {
        mean: Number.NaN,
        standardError: Number.NaN,
        count: 0,
      };
      return formatSummary({ mean, standardError: standardError ?? Number.NaN, count });
    });
    table.push([row.experiment, row.model, ...figures, row.split, row.trainSeconds.toFixed(1), row.run]);
  }
  process.stdout.write(`${table.toString()}\n`);
  const numData = new Set(rows.map(({ data }) => data)).size;
  if (numData > 1)
    process.stdout.write(
      `the rows come from ${numData} different prepared data sets; compare within one (--where data=…)\n`,
    );
}

/** `nimue report <run>` */
export async function reportCommand(run: string, { json }: { readonly json?: boolean }): Promise<void> {
  const text = await readFile(join(run, 'report.md'), 'utf8').catch(() => {
    throw new InputError(`${run}: no report.md; expected the folder of a finished run`);
  });
  process.stdout.write(json ? `${JSON.stringify(await reportJson(run), null, 2)}\n` : text);
}

function parseFilter(text: string): { readonly field: Field; readonly pattern: RegExp } {
  const at = text.indexOf('=');
  const name = text.slice(0, Math.max(0, at));
  const field = FIELDS.find((known) => known === name);
  if (!field)
    throw new InputError(
      `--where ${text}: expected field=pattern with one of ${FIELDS.join(', ')}${didYouMean(name, FIELDS)}`,
    );
  const parts = text
    .slice(at + 1)
    .split('*')
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return { field, pattern: new RegExp(`^${parts.join('.*')}$`) };
}
