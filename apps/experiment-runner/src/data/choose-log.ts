import { existsSync } from 'node:fs';
import {
  type DatasetSpec,
  datasetSchema,
  datasets,
  describeLog,
  type FilesDataset,
  filesDatasetSchema,
  type LogDescription,
  type SessionsConfig,
  sessionsSchema,
} from '@nimue/data';
import { didYouMean } from '../experiment/known-keys.ts';
import { type ColumnRoles, guessColumns } from '../init/guess-columns.ts';
import { InputError } from '../input-error.ts';

export interface ChooseLogOptions extends ColumnRoles {
  /** The folder of the ready-made data sets. */
  readonly path: string;
  readonly gap: string;
}

/** A log, and how it becomes sessions where that is known. */
export interface ChosenLog {
  readonly description: LogDescription;
  readonly dataset?: FilesDataset;
  readonly sessions?: SessionsConfig;
  /** What has to be said for sessions to be found. */
  readonly missing?: string;
}

/** The log behind a file, a folder, a glob, or the name of a ready-made data set; roles that are not given are guessed. */
export async function chooseLog(name: string, options: ChooseLogOptions): Promise<ChosenLog> {
  const isFile = existsSync(name) || /[/*?\\.[]/.test(name);
  return isFile ? chooseFile(name, options) : chooseSpec(specOf(name), options.path);
}

/** @throws when there is no such data set, with the near name */
export function specOf(name: string): DatasetSpec {
  const specs: Readonly<Record<string, DatasetSpec>> = datasets;
  const spec = Object.hasOwn(specs, name) ? specs[name] : undefined;
  if (spec) return spec;
  const known = Object.keys(specs);
  throw new InputError(
    `${name}: neither a file nor a ready-made data set (${known.join(', ')})${didYouMean(name, known)}`,
  );
}

async function chooseSpec(spec: DatasetSpec, path: string): Promise<ChosenLog> {
  const dataset = datasetSchema.parse(spec.dataset(path));
  if ('generated' in dataset) {
    throw new InputError(
      `${spec.title}: it is generated, not read; nimue run with dataset: { generated: shop } uses it`,
    );
  }
  const read: FilesDataset = { ...dataset, onMissing: 'drop' };
  return { description: await describeLog(read), dataset: read, sessions: sessionsSchema.parse(spec.sessions) };
}

async function chooseFile(file: string, options: ChooseLogOptions): Promise<ChosenLog> {
  const description = await describeLog(file);
  const known = description.columns.map(({ name }) => name);
  const roles: ColumnRoles = { ...guessColumns(description) };
  for (const role of ['item', 'timestamp', 'session', 'user'] as const) {
    const given = options[role];
    if (given === undefined) continue;
    if (!known.includes(given)) {
      throw new InputError(
        `--${role}: ${file} has no column '${given}', only ${known.join(', ')}${didYouMean(given, known)}`,
      );
    }
    for (const other of ['item', 'timestamp', 'session', 'user'] as const) {
      if (roles[other] === given) delete roles[other];
    }
    roles[role] = given;
  }
  const gapMinutes = options.gap === 'none' ? 'none' : Number(options.gap);
  if (gapMinutes !== 'none' && !(gapMinutes > 0)) {
    throw new InputError(`--gap ${options.gap}: expected minutes, or none`);
  }
  const { item, timestamp, session, user } = roles;
  if (!item) return { description, missing: '--item' };
  if (!session && !user) return { description, missing: '--session or --user' };
  const dataset = filesDatasetSchema.parse({
    files: file,
    columns: { item, ...(timestamp && { timestamp }), ...(session && { session }), ...(user && { user }) },
    onMissing: 'drop',
  });
  const sessions = sessionsSchema.parse(
    session ? { by: 'session' } : { by: 'user', gapMinutes: timestamp ? gapMinutes : 'none' },
  );
  return { description, dataset, sessions };
}
