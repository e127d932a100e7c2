import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { describeLog } from '@nimue/data';
import { didYouMean } from '../experiment/known-keys.ts';
import { experimentText, type NewExperiment } from '../init/experiment-text.ts';
import { type ColumnRoles, guessColumns, guessSpan } from '../init/guess-columns.ts';
import { InputError } from '../input-error.ts';
import { asInput } from '../run/input-step.ts';

export interface InitCommandOptions extends ColumnRoles {
  readonly span?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
  readonly out?: string;
}

const SPANS = ['hour', 'day', 'week'] as const;
const QUESTIONS: readonly (readonly [role: keyof ColumnRoles, question: string])[] = [
  ['item', 'Which column says what was clicked?'],
  ['timestamp', 'Which column says when?'],
  ['session', 'Which column is the session (empty: none)?'],
  ['user', 'Which column is the user (empty: none)?'],
];

/** `nimue init <log>` */
export async function initCommand(log: string, options: InitCommandOptions): Promise<void> {
  const description = await asInput('', () => describeLog(log));
  const known = description.columns.map(({ name }) => name);
  const roles: ColumnRoles = { ...guessColumns(description) };
  for (const [role] of QUESTIONS) {
    const given = options[role];
    if (given !== undefined) roles[role] = assertColumn(`--${role}`, given, known);
  }
  let span: string | undefined = options.span;
  const out = options.out ?? `${basename(log).replace(/(\.(csv|tsv|txt|parquet|gz))+$/i, '')}.yaml`;
  const guessedSpan = () => guessSpan(description.columns.find(({ name }) => name === roles.timestamp));
  if (process.stdin.isTTY && !options.yes && !options.json) {
    const terminal = createInterface({ input: process.stdin, output: process.stdout });
    try {
      process.stdout.write(`${log} has ${description.numRows} rows:\n`);
      for (const { name, examples } of description.columns) process.stdout.write(`  ${name}: ${examples.join(', ')}\n`);
      for (const [role, question] of QUESTIONS) {
        if (options[role] !== undefined) continue;
        const answer = (await terminal.question(`${question} [${roles[role] ?? 'none'}] `)).trim();
        if (answer !== '') roles[role] = assertColumn(role, answer, known);
      }
      span ??=
        (await terminal.question(`Windows of an hour, a day or a week? [${guessedSpan()}] `)).trim() || undefined;
    } finally {
      terminal.close();
    }
  }
  const { item, timestamp, session, user } = roles;
  if (!item || !timestamp || (!session && !user)) {
    const missing = !item ? '--item' : !timestamp ? '--timestamp' : '--session or --user';
    throw new InputError(`${log}: no column was recognized for ${missing}; give it, one of ${known.join(', ')}`);
  }
  const checkedSpan = SPANS.find((name) => name === (span ?? guessedSpan()));
  if (!checkedSpan) throw new InputError(`--span ${span}: expected ${SPANS.join(', ')}`);
  const name =
    basename(out)
      .replace(/\.ya?ml$/i, '')
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '') || 'experiment';
  const experiment: NewExperiment = { name, log, roles: { ...roles, item, timestamp }, span: checkedSpan };
  await writeFile(out, experimentText(experiment), { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'EEXIST' ? 'the file exists already; choose another name with --out' : error.message;
    throw new InputError(`${out}: ${reason}`);
  });
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ file: out, ...experiment }, null, 2)}\n`
      : `wrote ${out}; next: nimue run ${out}\n`,
  );
}

function assertColumn(where: string, given: string, known: readonly string[]): string {
  if (known.includes(given)) return given;
  throw new InputError(
    `${where}: the log has no column '${given}', only ${known.join(', ')}${didYouMean(given, known)}`,
  );
}
