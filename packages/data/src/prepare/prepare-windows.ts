import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { keyOfColumn, type RawColumn } from '../dataset/raw-columns.ts';
import { type SplitOptions, splitOfSession } from '../dataset/split-of-session.ts';
import { SPLIT_NAMES, type SplitName, type WindowInfo } from '../dataset/windowed-dataset.ts';
import { writeGeneratedLog } from '../generated/write-generated-log.ts';
import { duckdbStore } from '../parquet/duckdb-store.ts';
import type { DatasetConfig, FilesDataset } from '../read/dataset-schema.ts';
import { messageOf } from '../read/engine.ts';
import { type EventLog, type KeyIds, openEventLog } from '../read/event-log.ts';
import { assertAnySession } from '../sessions/sessionize.ts';
import { Sessionizer } from '../sessions/sessionizer.ts';
import type { SessionsConfig } from '../sessions/sessions-schema.ts';
import { DAY_MS } from '../windows/calendar.ts';
import { type PlannedWindow, planWindows, windowIndexOf } from '../windows/plan-windows.ts';
import type { WindowsConfig } from '../windows/windows-schema.ts';
import { assertUnchanged, describeContent } from './content-key.ts';
import { LAYOUT_VERSION, type PreparedCounts, readManifest, writeManifest } from './manifest.ts';
import { ITEMS_FILE, openPrepared, type PreparedDataset, splitFile, textsFile } from './open-prepared.ts';
import { writeSessionFiles } from './session-files.ts';
import { WindowSpool } from './window-spool.ts';

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
export async function prepareWindows(options: PrepareOptions): Promise<PreparedDataset> {
  const { key, source, files } = await describeContent(options);
  const directory = join(options.directory, `${nameOf(options.dataset)}-${key}`);
  if (await isComplete(directory, key)) return openPrepared(directory);

  const temporary = await makeTemporary(options.directory, key);
  try {
    const result = join(temporary, 'result');
    await mkdir(result);
    await prepareInto(result, temporary, key, source, options);
    await assertUnchanged(files);
    await moveIntoPlace(result, directory, key);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return openPrepared(directory);
}

async function prepareInto(
  result: string,
  temporary: string,
  key: string,
  source: unknown,
  options: PrepareOptions,
): Promise<void> {
  const report = options.onProgress ?? (() => {});
  report({ stage: 'generate', done: 0, total: 0 });
  const dataset = 'generated' in options.dataset ? await generate(options.dataset, temporary) : options.dataset;
  report({ stage: 'read', done: 0, total: 0 });
  const scratch = join(temporary, 'engine');
  await mkdir(scratch);
  const { sessions, columns = [], memoryLimit, threads } = options;
  const log = await openEventLog(dataset, {
    by: sessions.by,
    gapMinutes: sessions.gapMinutes,
    eventTypes: sessions.eventTypes,
    support: sessions,
    columns,
    withUsers: options.split?.by === 'user',
    temporaryDirectory: scratch,
    memoryLimit,
    threads,
  });
  const { hasTimes } = log;
  let spooled: SpooledWindows;
  try {
    if (!hasTimes) assertNoTimesNeeded(options);
    spooled = await spoolSessions(log, temporary, options);
    const itemIds = await log.itemIds();
    const items = await duckdbStore.openWriter(join(result, ITEMS_FILE), { code: 'int32', item_id: 'string' });
    await items.append({ code: Int32Array.from(itemIds, (_, code) => code), item_id: itemIds });
    await items.close();
    const texts = await log.texts();
    for (const [c, { name, kind }] of columns.entries()) {
      if (kind === 'text') await writeTexts(join(result, textsFile(c)), texts[name]);
    }
  } finally {
    log.close();
  }
  await rm(scratch, { recursive: true, force: true });

  const { windows, files } = await writeWindows(result, spooled, options).finally(() => spooled.spool.close());
  const dictionaries = columns.flatMap(({ kind }, c) => (kind === 'text' ? [textsFile(c)] : []));
  for (const name of [ITEMS_FILE, ...dictionaries]) files[name] = (await stat(join(result, name))).size;
  const { counts } = spooled;
  await writeManifest(result, {
    layout: LAYOUT_VERSION,
    key,
    source,
    counts,
    windows,
    numRawItems: counts.numItems,
    hasTimes,
    columns: [...columns],
    // Windows are written side by side; the manifest must not tell which of them was done first.
    files: Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1))),
  });
}

async function writeTexts(file: string, values: readonly string[]): Promise<void> {
  const writer = await duckdbStore.openWriter(file, { value: 'string' });
  await writer.append({ value: [...values] });
  await writer.close();
}

/** @throws when an option asks for times that the log does not have */
function assertNoTimesNeeded({ sessions, windows }: PrepareOptions): void {
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
  readonly counts: PreparedCounts;
}

async function spoolSessions(log: EventLog, temporary: string, options: PrepareOptions): Promise<SpooledWindows> {
  const { sessions, windows, split, onProgress } = options;
  const plan = planWindows(log, windows);
  const fromMs = plan[0].startMs;
  const toMs = plan[plan.length - 1].endMs;
  const isRestricted = fromMs > log.firstMs || toMs <= log.lastMs;
  const selected = await log.select(isRestricted ? { fromMs, toMs } : undefined);

  const spool = new WindowSpool(join(temporary, 'spool'), plan.length, options.columns?.length);
  // The ids of the keys come in the same order as the keys, a little ahead of them.
  const keys = log.keys();
  let keyIds: KeyIds[] = [];
  let firstKey = 0;
  let numSessionsOutside = 0;
  const sessionizer = new Sessionizer(sessions, (session) => {
    const window = windowIndexOf(plan, session.startMs);
    if (window < 0) {
      numSessionsOutside++;
      return;
    }
    const { id, user } = keyIds[session.key - firstKey];
    const side = user === undefined ? splitOfSession(id, session.startMs, split) : splitOfSession(user, 0, split);
    const { startMs, fullLength, itemCodes, timestampsMs, columns } = session;
    spool.add(window, { id, startMs, isValid: side === 'valid', fullLength, itemCodes, timestampsMs, columns });
  });
  const spoolAll = async () => {
    for await (const chunk of log.events()) {
      // The session that is still open belongs to the last key of the chunk before.
      const openKey = Math.max(firstKey, sessionizer.openKey);
      keyIds = keyIds.slice(openKey - firstKey);
      firstKey = openKey;
      while (firstKey + keyIds.length <= chunk.keys[chunk.length - 1]) {
        for (const key of (await keys.next()).value ?? []) keyIds.push(key);
      }
      sessionizer.push(chunk);
      onProgress?.({ stage: 'sessionize', done: sessionizer.counts.numEvents, total: selected.numEvents });
    }
    return sessionizer.finish();
  };
  const counts = await spoolAll().catch((error: unknown) => {
    spool.close();
    throw error;
  });
  await keys.return(undefined);
  if (selected.numEvents === 0) {
    const span = `${plan[0].id} to ${plan[plan.length - 1].id}`;
    const logSpan = `${new Date(log.firstMs).toISOString()} to ${new Date(log.lastMs).toISOString()}`;
    throw new Error(
      `prepareWindows: no session starts in the windows ${span}; the log runs from ${logSpan}. Change windows.first or windows.last`,
    );
  }
  assertAnySession(counts, sessions);
  return {
    plan,
    spool,
    counts: {
      ...counts,
      numItems: selected.numItems,
      numMissingEvents: selected.missing.numEvents,
      numOtherTypeEvents: selected.numOtherTypeEvents,
      numRareEvents: selected.numRareEvents,
      numSessionsOutside,
    },
  };
}

/** Windows that are being written while the next one is laid out. */
const WRITTEN_AT_ONCE = 3;

/** @returns the windows, and the size of every file */
async function writeWindows(
  result: string,
  { plan, spool }: SpooledWindows,
  options: PrepareOptions,
): Promise<{ readonly windows: WindowInfo[]; readonly files: Record<string, number> }> {
  const windows: WindowInfo[] = [];
  const files: Record<string, number> = {};
  const columnKeys = options.columns?.map(keyOfColumn);
  let next = 0;
  let done = 0;
  const writeNext = async () => {
    while (next < plan.length) {
      const index = next++;
      const window = plan[index];
      const sessions = spool.take(index);
      windows[index] = { ...window, numSessions: sessions.ids.length, numEvents: sessions.itemCodes.length };
      if (sessions.ids.length > 0) {
        await mkdir(join(result, window.id));
        const names = { train: '', valid: '', test: '' };
        for (const split of SPLIT_NAMES) names[split] = splitFile(window.id, split);
        const file = (split: SplitName) => join(result, names[split]);
        const paths = { train: file('train'), valid: file('valid'), test: file('test') };
        const sizes = await writeSessionFiles(sessions, paths, columnKeys);
        for (const split of SPLIT_NAMES) files[names[split]] = sizes[split];
      }
      options.onProgress?.({ stage: 'write', done: ++done, total: plan.length });
    }
  };
  await Promise.all(Array.from({ length: Math.min(WRITTEN_AT_ONCE, plan.length) }, writeNext));
  return { windows, files };
}

async function generate(
  dataset: Extract<DatasetConfig, { generated: unknown }>,
  temporary: string,
): Promise<FilesDataset> {
  const { generated, ...shop } = dataset;
  return writeGeneratedLog(shop, join(temporary, `generated-${generated}.parquet`));
}

function nameOf(dataset: DatasetConfig): string {
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

async function makeTemporary(directory: string, key: string): Promise<string> {
  try {
    await mkdir(directory, { recursive: true });
    await removeAbandoned(directory);
    return await mkdtemp(join(directory, `${TEMPORARY_PREFIX}${key}-`));
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
