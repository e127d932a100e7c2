import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { keyOfColumn, type RawColumn } from '../dataset/raw-columns.ts';
import type { SplitOptions } from '../dataset/split-of-session.ts';
import { writeGeneratedLog } from '../generated/write-generated-log.ts';
import { mayHaveHelper } from '../read/compiled-file.ts';
import type { DatasetConfig, FilesDataset } from '../read/dataset-schema.ts';
import { messageOf } from '../read/engine.ts';
import { type EventLog, type EventLogOptions, openEventLog } from '../read/event-log.ts';
import { assertAnySession } from '../sessions/sessionize.ts';
import type { SessionsConfig } from '../sessions/sessions-schema.ts';
import { DAY_MS } from '../windows/calendar.ts';
import { type PlannedWindow, planWindows } from '../windows/plan-windows.ts';
import type { WindowsConfig } from '../windows/windows-schema.ts';
import { assertUnchanged, describeContent, type PreparedContent } from './content-key.ts';
import { LAYOUT_VERSION, type PreparedCounts, readManifest, writeManifest } from './manifest.ts';
import { openPrepared, type PreparedDataset } from './open-prepared.ts';
import { SessionSample } from './session-sample.ts';
import { nothingStarts, spoolEvents, startRangeOf } from './spool-sessions.ts';
import { WindowSpool } from './window-spool.ts';
import { dictionaryFiles, writeDictionaries } from './write-dictionaries.ts';
import { writeWindows } from './write-windows.ts';

const TEMPORARY_PREFIX = '.preparing-';

/** How far a preparation is. */
export interface PrepareProgress {
  readonly stage: 'generate' | 'read' | 'sessionize' | 'write';
  /** Events (sessionize) or windows (write) so far. */
  readonly done: number;
  /** 0 when it is not known. */
  readonly total: number;
}

export interface PrepareOptions {
  readonly dataset: DatasetConfig;
  readonly sessions: SessionsConfig;
  readonly windows: WindowsConfig;
  readonly split?: SplitOptions;
  /** Columns of the log that are carried along, for features. Default: none. */
  readonly columns?: readonly RawColumn[];
  /** Prepared data sets lie here side by side, each in a folder named after its contents. */
  readonly directory: string;
  readonly memoryLimit?: string;
  readonly threads?: number;
  /** Another thread orders events and writes windows along with this one. Default: in the compiled package, where there are two processors. */
  readonly helperThread?: boolean;
  readonly onProgress?: (progress: PrepareProgress) => void;
}

/**
 * Log → sessions → windows on disk: `<directory>/<name>-<key>/<window id>/{train,valid,test}.parquet`, with the item
 * dictionary and a manifest beside them. The key is a hash of the files' bytes and of every option, so what was prepared before is reused, and different preparations never overwrite one another. The work happens in a
 * temporary folder that is renamed when it is complete: killed or failed, it leaves what was there as it was.
 *
 * @throws when the log cannot be read or holds no session of at least `minLength` events, or the folder cannot be written
 *
 * @example
 * const dataset = await prepareWindows({
 *   dataset: datasetSchema.parse({ files: 'clicks.csv', columns: { session: 's', item: 'i', timestamp: 't' } }),
 *   sessions: sessionsSchema.parse({ by: 'session' }),
 *   windows: windowsSchema.parse({ span: 'day' }),
 *   directory: 'prepared',
 * });
 */
export async function prepareWindows(given: PrepareOptions): Promise<PreparedDataset> {
  const options = withWeights(given);
  const name = nameOf(options.dataset);
  const stop = new AbortController();
  // The log is hashed while it is read, unless what it would become may be there already.
  const content = describeContent(options, stop.signal);
  content.catch(() => undefined);
  const directoryOf = (key: string) => join(options.directory, `${name}-${key}`);
  const entries = await readdir(options.directory).catch((): string[] => []);
  if (entries.some((entry) => entry.startsWith(`${name}-`))) {
    const { key } = await content;
    if (await isComplete(directoryOf(key), key)) return openPrepared(directoryOf(key));
  }

  const temporary = await makeTemporary(options.directory, name);
  try {
    const result = join(temporary, 'result');
    await mkdir(result);
    await prepareInto(result, temporary, content, options);
    const { key, files } = await content;
    await assertUnchanged(files);
    await moveIntoPlace(result, directoryOf(key), key);
    return await openPrepared(directoryOf(key));
  } finally {
    stop.abort();
    await rm(temporary, { recursive: true, force: true });
  }
}

/** With `sessions.eventWeights`, the weight of every event is carried along. */
export function withWeights<Options extends Pick<PrepareOptions, 'dataset' | 'sessions' | 'columns'>>(
  options: Options,
): Options {
  const { dataset, sessions, columns = [] } = options;
  if (!sessions.eventWeights) return options;
  if ('generated' in dataset) throw new Error('sessions.eventWeights: the events of a generated log have no types');
  const weight: RawColumn = { name: dataset.columns.event ?? '', kind: 'weight' };
  return { ...options, columns: [...columns.filter(({ kind }) => kind !== 'weight'), weight] };
}

async function prepareInto(
  result: string,
  temporary: string,
  content: Promise<PreparedContent>,
  options: PrepareOptions,
): Promise<void> {
  const report = options.onProgress ?? (() => {});
  report({ stage: 'generate', done: 0, total: 0 });
  const dataset = 'generated' in options.dataset ? await generate(options.dataset, temporary) : options.dataset;
  report({ stage: 'read', done: 0, total: 0 });
  const scratch = join(temporary, 'engine');
  await mkdir(scratch);
  const { columns = [], memoryLimit, threads } = options;
  const { helperThread = mayHaveHelper() } = options;
  const log = await openEventLog(dataset, {
    ...logOptions(options),
    temporaryDirectory: scratch,
    memoryLimit,
    threads,
    helperThread,
  });
  const { hasTimes } = log;
  let spooled: SpooledWindows;
  try {
    if (!hasTimes) assertNoTimesNeeded(options);
    spooled = await spoolSessions(log, temporary, options);
    await writeDictionaries(result, log, columns);
  } finally {
    log.close();
  }
  const cleared = rm(scratch, { recursive: true, force: true });
  // What fails meanwhile is heard first.
  cleared.catch(() => undefined);

  const { plan, spool, sample } = spooled;
  const columnKeys = columns.map(keyOfColumn);
  const { windows, files } = await writeWindows(
    spool,
    { directory: result, plan, columnKeys },
    { sample, helperThread },
    (done) => report({ stage: 'write', done, total: plan.length }),
  ).finally(() => spool.close());
  await cleared;
  for (const name of dictionaryFiles(columns)) files[name] = (await stat(join(result, name))).size;
  const { counts } = spooled;
  const { key, source } = await content;
  await writeManifest(result, {
    layout: LAYOUT_VERSION,
    key,
    source,
    counts,
    windows,
    numRawItems: counts.numItems,
    hasTimes,
    columns: [...columns],
    files,
  });
}

/** What of the options decides how the log is read. */
export function logOptions({
  sessions,
  split,
  columns,
}: Pick<PrepareOptions, 'sessions' | 'split' | 'columns'>): Omit<EventLogOptions, 'temporaryDirectory'> {
  const { by, gapMinutes, eventTypes, eventWeights } = sessions;
  return { by, gapMinutes, eventTypes, eventWeights, support: sessions, columns, withUsers: split?.by === 'user' };
}

/** @throws when an option asks for times that the log does not have */
export function assertNoTimesNeeded({ sessions, windows }: Pick<PrepareOptions, 'sessions' | 'windows'>): void {
  const why = 'the log has no times (dataset.columns.timestamp is not mapped)';
  if (windows.span !== 'all') {
    throw new Error(`windows.span: ${why}, so it cannot be cut into windows; set span to 'all'`);
  }
  if (sessions.by === 'user' && sessions.gapMinutes !== 'none') {
    throw new Error(`sessions.gapMinutes: ${why}, so it has no pauses; set gapMinutes to 'none'`);
  }
}

interface SpooledWindows {
  readonly plan: readonly PlannedWindow[];
  readonly spool: WindowSpool;
  /** Which sessions are drawn, where not all are. */
  readonly sample?: SessionSample;
  readonly counts: PreparedCounts;
}

async function spoolSessions(log: EventLog, temporary: string, options: PrepareOptions): Promise<SpooledWindows> {
  const { sessions, windows, onProgress } = options;
  const plan = planWindows(log, windows);
  const selected = await log.select(startRangeOf(plan, log));
  const spool = new WindowSpool(join(temporary, 'spool'), plan.length, options.columns?.length);
  const sample = sessions.sample && new SessionSample(sessions.sample);
  try {
    const counts = await spoolEvents(log, plan, spool, { ...options, sample }, (done) =>
      onProgress?.({ stage: 'sessionize', done, total: selected.numEvents }),
    );
    if (selected.numEvents === 0) throw nothingStarts(plan, log);
    assertAnySession(counts, sessions);
    const { numItems, missing, numOtherTypeEvents, numRareEvents } = selected;
    const numInWindows = counts.numKeptSessions - counts.numSessionsOutside;
    const unsampled = sessions.sample && {
      numUnsampledSessions: Math.max(0, numInWindows - sessions.sample.numSessions),
    };
    const read = { numItems, numMissingEvents: missing.numEvents, numOtherTypeEvents, numRareEvents };
    return { plan, spool, sample, counts: { ...counts, ...unsampled, ...read } };
  } catch (error) {
    spool.close();
    throw error;
  }
}

export async function generate(
  dataset: Extract<DatasetConfig, { generated: unknown }>,
  temporary: string,
): Promise<FilesDataset> {
  const { generated, ...shop } = dataset;
  return writeGeneratedLog(shop, join(temporary, `generated-${generated}.parquet`));
}

export function nameOf(dataset: DatasetConfig): string {
  if ('generated' in dataset) return `generated-${dataset.generated}`;
  const first = typeof dataset.files === 'string' ? dataset.files : dataset.files[0];
  const name = basename(first)
    .replace(/\..*$/, '')
    .replace(/[^\w-]+/g, '-');
  return name.slice(0, 40) || 'log';
}

async function isComplete(directory: string, key: string): Promise<boolean> {
  return readManifest(directory).then(
    (manifest) => manifest.key === key,
    () => false,
  );
}

/** A folder to work in; the caller removes it. */
export async function makeTemporary(directory: string, name: string): Promise<string> {
  try {
    await mkdir(directory, { recursive: true });
    await removeAbandoned(directory);
    return await mkdtemp(join(directory, `${TEMPORARY_PREFIX}${name}-`));
  } catch (error) {
    throw new Error(`prepareWindows: cannot write to ${directory} (${messageOf(error)}); choose another folder`);
  }
}

/** Preparations that were killed leave their folder behind; after a day nobody is working in it any more. */
async function removeAbandoned(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith(TEMPORARY_PREFIX)) continue;
    const path = join(directory, name);
    const changed = await stat(path).catch(() => undefined);
    if (changed && Date.now() - changed.mtimeMs > DAY_MS) await rm(path, { recursive: true, force: true });
  }
}

/**
 * Renames the finished folder. Where another process was first, its folder stays, untouched, since it may be being read;
 * only an incomplete one is moved aside.
 */
async function moveIntoPlace(result: string, directory: string, key: string): Promise<void> {
  const isMoved = () =>
    rename(result, directory).then(
      () => true,
      () => false,
    );
  if ((await isMoved()) || (await isComplete(directory, key))) return;
  await rename(directory, join(result, '..', 'incomplete')).catch(() => undefined);
  if ((await isMoved()) || (await isComplete(directory, key))) return;
  throw new Error(`prepareWindows: cannot create ${directory}; move away what stands there, or choose another folder`);
}
