import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { describeLog, type LogDescription } from '@nimue/data';
import { didYouMean } from '../experiment/known-keys.ts';
import { experimentText, type NewExperiment } from '../init/experiment-text.ts';
import { type ColumnRoles, guessColumns, guessSpan } from '../init/guess-columns.ts';
import { InputError } from '../input-error.ts';
import { formatCount } from '../report/format.ts';
import { asInput } from '../run/input-step.ts';
import { InterruptedError } from './interrupt.ts';

export interface InitCommandOptions extends ColumnRoles {
  readonly span?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
  readonly out?: string;
}

const EXISTS = 'the file exists already; choose another name with --out';
const SPANS = ['hour', 'day', 'week'] as const;
const QUESTIONS: readonly (readonly [role: keyof ColumnRoles, question: string])[] = [
  ['item', 'Which column says what was clicked?'],
  ['timestamp', 'Which column says when?'],
  ['session', 'Which column is the session?'],
  ['user', 'Which column is the user?'],
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
  if (existsSync(out)) throw new InputError(`${out}: ${EXISTS}`);
  const guessedSpan = () => guessSpan(description.columns.find(({ name }) => name === roles.timestamp));
  if (process.stdin.isTTY && !options.yes && !options.json) {
    span = await askForRoles({ log, description, given: options, roles, known, guessedSpan });
  }
  const { item, timestamp, session, user } = roles;
  if (!item || !timestamp || (!session && !user)) {
    const missing = !item ? '--item' : !timestamp ? '--timestamp' : '--session or --user';
    throw new InputError(`${log}: no column was recognized for ${missing}; give it, one of ${known.join(', ')}`);
  }
  const checkedSpan = assertSpan('--span', span ?? guessedSpan());
  const name =
    basename(out)
      .replace(/\.ya?ml$/i, '')
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '') || 'experiment';
  const experiment: NewExperiment = { file: out, name, log, roles: { ...roles, item, timestamp }, span: checkedSpan };
  await writeFile(out, experimentText(experiment), { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'EEXIST' ? EXISTS : error.message;
    throw new InputError(`${out}: ${reason}`);
  });
  process.stdout.write(
    options.json ? `${JSON.stringify(experiment, null, 2)}\n` : `wrote ${out}; next: nimue run ${out}\n`,
  );
}

interface Questions {
  readonly log: string;
  readonly description: LogDescription;
  /** What the command line says already is not asked for. */
  readonly given: InitCommandOptions;
  /** What was guessed; answers go there. */
  readonly roles: ColumnRoles;
  readonly known: readonly string[];
  readonly guessedSpan: () => string;
}

/** Asks at the terminal, again where an answer is no column or span; an empty answer takes what was guessed. @returns the span */
async function askForRoles({ log, description, given, roles, known, guessedSpan }: Questions): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  // Ctrl-D and Ctrl-C end the questions, which would otherwise wait for ever.
  const closed = once(terminal, 'close').then((): never => {
    throw new InterruptedError('nothing was written');
  });
  closed.catch(() => {});
  const ask = async (question: string, check: (answer: string) => string): Promise<string> => {
    for (;;) {
      const answer = await Promise.race([terminal.question(question), closed]);
      try {
        return check(answer.trim());
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        process.stdout.write(`${error.message}\n`);
      }
    }
  };
  try {
    process.stdout.write(`${log} has ${formatCount(description.numRows)} rows:\n`);
    for (const { name, examples } of description.columns) process.stdout.write(`  ${name}: ${examples.join(', ')}\n`);
    for (const [role, question] of QUESTIONS) {
      if (given[role] !== undefined) continue;
      const guessed = roles[role];
      const answer = await ask(`${question} [${guessed ?? 'none'}] `, (text) =>
        text === '' || text === 'none' ? text : assertColumn(role, text, known),
      );
      if (answer === 'none') delete roles[role];
      else if (answer !== '') roles[role] = answer;
    }
    if (given.span !== undefined) return given.span;
    return await ask(`Windows of an hour, a day or a week? [${guessedSpan()}] `, (text) =>
      text === '' ? guessedSpan() : assertSpan('span', text),
    );
  } finally {
    terminal.close();
  }
}

function assertSpan(where: string, given: string): (typeof SPANS)[number] {
  const span = SPANS.find((name) => name === given);
  if (!span) throw new InputError(`${where}: expected ${SPANS.join(', ')}, got '${given}'${didYouMean(given, SPANS)}`);
  return span;
}

function assertColumn(where: string, given: string, known: readonly string[]): string {
  if (known.includes(given)) return given;
  throw new InputError(
    `${where}: the log has no column '${given}', only ${known.join(', ')}${didYouMean(given, known)}`,
  );
}
