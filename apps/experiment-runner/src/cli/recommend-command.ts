import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { type BackendChoice, chooseBackend } from '@nimue/container';
import { detectTimeUnit, MS_PER_UNIT, openParquetWriter, readSessions, type SessionColumns } from '@nimue/data';
import {
  clusterSearch,
  findModelFolder,
  hnswSearch,
  type ListOptions,
  type Recommendation,
  Recommender,
  type RequestSession,
} from '@nimue/recommender';
import Table from 'cli-table3';
import { InputError } from '../input-error.ts';
import { asInput } from '../run/input-step.ts';

export interface RecommendCommandOptions {
  readonly model?: string;
  readonly session: readonly string[];
  readonly times: readonly string[];
  readonly context: readonly string[];
  readonly k: string;
  readonly filterSeen?: boolean;
  readonly candidates?: string;
  readonly exclude?: string;
  readonly onUnsupported: 'error' | 'warn' | 'skip';
  readonly in?: string;
  readonly out?: string;
  readonly sessionColumn: string;
  readonly itemColumn: string;
  readonly timestampColumn?: string;
  readonly history?: string;
  readonly userColumn: string;
  readonly user: readonly string[];
  readonly search: keyof typeof SEARCHES;
  readonly backend: BackendChoice;
  readonly json?: boolean;
}

/** How items are found. */
export const SEARCHES = { exact: () => undefined, clusters: () => clusterSearch(), hnsw: () => hnswSearch() };

/** Sessions of the batch that are answered and written together. */
const SESSIONS_PER_PASS = 4096;

/** `nimue recommend <run>` */
export async function recommendCommand(path: string, options: RecommendCommandOptions): Promise<void> {
  const { session, user, history, json } = options;
  if ((options.in === undefined) !== (options.out === undefined)) {
    throw new InputError('--in and --out go together: a file of sessions, and the Parquet file of what is recommended');
  }
  if (options.in === undefined && session.length === 0 && user.length === 0) {
    throw new InputError('nothing is asked: give --session "a,b,c", --user with --history, or --in and --out');
  }
  if (user.length > 0 && history === undefined)
    throw new InputError('--user: give --history, a file of what users did');
  const folder = await asInput('', () => findModelFolder(path, options.model));
  const { line } = await asInput('', () => chooseBackend(options.backend));
  const recommender = await asInput('', () => Recommender.load(folder));
  try {
    process.stderr.write(`model: ${recommender.label} of ${folder}\n${line}\n`);
    await asInput('', () => recommender.useSearch(SEARCHES[options.search]()));
    if (history !== undefined) await asInput('--history: ', () => readHistories(recommender, history, options));
    if (options.in !== undefined && options.out !== undefined) {
      await asInput('', () => recommendBatch(recommender, options.in as string, options.out as string, options));
    }
    if (session.length + user.length === 0) return;
    const sessions = typedSessions(recommender, options);
    const answers = await asInput('', () =>
      recommender.recommend({ sessions, users: user, ...listOptions(options), withScores: true }),
    );
    const names = [...session, ...user.map((name) => `user ${name}`)];
    if (json) {
      const named = answers.map((answer, i) => ({ asked: names[i], ...answer }));
      process.stdout.write(`${JSON.stringify(named, null, 2)}\n`);
      return;
    }
    answers.forEach((answer, i) => {
      print(names[i], answer);
    });
  } finally {
    recommender.dispose();
  }
}

/** The sessions of the command line, with their times and what holds for all of them. */
function typedSessions(
  recommender: Recommender,
  { session, times, context }: RecommendCommandOptions,
): RequestSession[] {
  if (times.length > 0 && times.length !== session.length) {
    throw new InputError(
      `--times is given ${times.length} times and --session ${session.length}; expected one for each, in the same order, or none`,
    );
  }
  const same = Object.fromEntries(context.map((text) => contextCell(recommender, text)));
  return session.map((text, s) => {
    const items = listOf(text);
    const moments = times.length > 0 ? listOf(times[s]).map(timestampMsOf) : undefined;
    return {
      items,
      ...(moments && { timestampsMs: moments }),
      ...(context.length > 0 && { context: same }),
    };
  });
}

function contextCell(recommender: Recommender, text: string): [string, number | string] {
  const [, name, value] = /^([^=]+)=(.*)$/.exec(text) ?? [];
  if (name === undefined) throw new InputError(`--context ${text}: expected column=value, such as device=phone`);
  const isNumber = recommender.columns.some((column) => column.name === name && column.kind === 'number');
  if (!isNumber) return [name, value];
  const number = Number(value);
  if (value.trim() !== '' && Number.isFinite(number)) return [name, number];
  throw new InputError(`--context ${text}: expected a number, as '${name}' was one in training`);
}

/** A date with its zone (UTC without one), or a number whose unit is told by its size as in a log. */
function timestampMsOf(text: string): number {
  const number = Number(text);
  const unit = Number.isFinite(number) ? detectTimeUnit(number, number) : undefined;
  if (unit) return number * MS_PER_UNIT[unit];
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/i.test(text);
  const ms = Number.isFinite(number) ? Number.NaN : Date.parse(hasZone || !/:/.test(text) ? text : `${text}Z`);
  if (Number.isFinite(ms)) return ms;
  throw new InputError(
    `--times: '${text}' is no time; expected such as 2024-05-01T10:00Z, or seconds or milliseconds since 1970 (years 1990 to 2100)`,
  );
}

function print(asked: string, { items, unknownItems, warning }: Recommendation): void {
  const hasTitles = items.some(({ title }) => title !== undefined);
  const table = new Table({
    head: ['', 'item', ...(hasTitles ? ['title'] : []), 'score'],
    style: { head: [], border: [], compact: true },
  });
  items.forEach(({ item, title = '', score = Number.NaN }, place) => {
    table.push([place + 1, item, ...(hasTitles ? [title] : []), score.toFixed(4)]);
  });
  process.stdout.write(`${asked}\n${table.toString()}\n`);
  if (unknownItems.length > 0)
    process.stdout.write(`not known to the model, and left out: ${unknownItems.join(', ')}\n`);
  if (warning) process.stdout.write(`${warning}\n`);
}

/** Answers the sessions of a file pass by pass: neither they nor the lists are in memory together. */
async function recommendBatch(
  recommender: Recommender,
  from: string,
  to: string,
  options: RecommendCommandOptions,
): Promise<void> {
  if (existsSync(to)) throw new InputError(`--out ${to}: it exists already; choose another or remove it`);
  const unfinished = `${to}.${process.pid}.tmp`;
  try {
    const said = await writeLists(recommender, from, unfinished, options);
    await rename(unfinished, to);
    process.stderr.write(`wrote ${to}: ${said}\n`);
  } finally {
    await rm(unfinished, { force: true });
  }
}

/** @returns what was written, in words */
async function writeLists(
  recommender: Recommender,
  from: string,
  to: string,
  options: RecommendCommandOptions,
): Promise<string> {
  const columns = columnsOf(recommender, options.sessionColumn, options);
  const writer = await openParquetWriter(
    to,
    { session: 'string', place: 'int32', item: 'string', score: 'double' },
    { store: 'parquetjs' },
  );
  let numSessions = 0;
  let numUnsupported = 0;
  let waiting: { id: string; session: RequestSession }[] = [];
  const answer = async () => {
    if (waiting.length === 0) return;
    const lists = recommender.recommend({
      sessions: waiting.map(({ session }) => session),
      ...listOptions(options),
      withScores: true,
    });
    const rows = lists.flatMap(({ items }, s) =>
      items.map(({ item, score }, i) => ({ session: waiting[s].id, place: i + 1, item, score: score as number })),
    );
    if (rows.length > 0) {
      await writer.append({
        session: rows.map(({ session }) => session),
        place: rows.map(({ place }) => place),
        item: rows.map(({ item }) => item),
        score: rows.map(({ score }) => score),
      });
    }
    numSessions += waiting.length;
    numUnsupported += lists.filter(({ warning }) => warning !== undefined).length;
    waiting = [];
  };
  for await (const { id, ...session } of readSessions(from, columns)) {
    waiting.push({ id, session });
    if (waiting.length === SESSIONS_PER_PASS) await answer();
  }
  await answer();
  await writer.close();
  const odd = numUnsupported > 0 ? `; ${numUnsupported} of them have no item that the model knows` : '';
  return `lists for ${numSessions} sessions${odd}`;
}

async function readHistories(recommender: Recommender, file: string, options: RecommendCommandOptions): Promise<void> {
  for await (const { id, ...history } of readSessions(file, columnsOf(recommender, options.userColumn, options))) {
    recommender.setHistory(id, history);
  }
}

/** The columns that are read, those of the model's features among them. */
function columnsOf(recommender: Recommender, session: string, options: RecommendCommandOptions): SessionColumns {
  const { itemColumn: item, timestampColumn: timestamp } = options;
  const others = [...new Set(recommender.columns.map(({ name }) => name))];
  return { session, item, timestamp, others };
}

function listOptions({ k, filterSeen, candidates, exclude, onUnsupported }: RecommendCommandOptions): ListOptions {
  const number = Number(k);
  if (!Number.isInteger(number) || number < 1) throw new InputError(`--k ${k}: expected a whole number ≥ 1`);
  return {
    k: number,
    filterSeen,
    onUnsupported,
    ...(candidates !== undefined && { candidates: listOf(candidates) }),
    ...(exclude !== undefined && { exclude: listOf(exclude) }),
  };
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part.length > 0);
}
