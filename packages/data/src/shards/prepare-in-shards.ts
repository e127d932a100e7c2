import { randomUUID } from 'node:crypto';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { WindowInfo } from '../dataset/windowed-dataset.ts';
import { assertUnchanged, filesOf, nameContent } from '../prepare/content-key.ts';
import { LAYOUT_VERSION, MANIFEST_FILE, writeManifest } from '../prepare/manifest.ts';
import {
  assertNoTimesNeeded,
  generate,
  logOptions,
  makeTemporary,
  nameOf,
  type PrepareOptions,
  withWeights,
} from '../prepare/prepare-windows.ts';
import { nothingStarts } from '../prepare/spool-sessions.ts';
import { dictionaryFiles, writeDictionaries } from '../prepare/write-dictionaries.ts';
import type { DuckDbEventLog } from '../read/duckdb-event-log.ts';
import { connectEventLog, type LogRange } from '../read/event-log.ts';
import { assertAnyLeft, assertTypes, hasLimits } from '../read/support.ts';
import { assertAnySession } from '../sessions/sessionize.ts';
import { planWindows } from '../windows/plan-windows.ts';
import { mergeFound, saveRareItems } from './merge-found.ts';
import {
  type FindResult,
  type JobOfShards,
  type LookResult,
  type SessionsResult,
  type ShardJob,
  type ShardResult,
  type SharedLog,
  shardFiles,
  textColumns,
  type WriteResult,
} from './shard-job.ts';
import type { SharedFiles } from './shared-files.ts';

export interface PrepareInShardsOptions extends PrepareOptions {
  readonly numShards: number;
  readonly files: SharedFiles;
  /**
   * Runs jobs by `runShardJob`, anywhere and in any order; equal ids, equal results.
   *
   * @throws when one of them fails for good
   */
  readonly run: (
    jobs: readonly { readonly id: string; readonly name: string; readonly input: ShardJob }[],
  ) => Promise<readonly ShardResult[]>;
}

/** A prepared data set among the shared files: `prepared/<name>/…`, as `prepareWindows` makes it. */
export interface SharedPreparation {
  readonly name: string;
  readonly key: string;
}

/**
 * `prepareWindows` in `numShards` pieces that know nothing of one another: no session has events of two keys (users, or
 * sessions where the log names them), so every shard takes the keys whose hash falls to it, and what comes out is what
 * `prepareWindows` writes, byte for byte.
 *
 * 1. `look`: the files are hashed and their times looked at, each file by one job.
 * 2. `find`: every shard reads its events, with the shard as a condition on the scan, keeps them among the shared files, and says
 *    which items it has and when each came first. With `minItemEvents` and `minKeyEvents` once more for every pass, from
 *    what it kept.
 * 3. Here, the items are merged and numbered.
 * 4. `sessions`: every shard cuts the events that it kept into sessions.
 * 5. `write`: the sessions of a window, from all shards, become its files.
 *
 * Jobs exchange files by the shared files; one that is done again finds what it did the first time.
 *
 * @throws as `prepareWindows`
 */
export async function prepareInShards(given: PrepareInShardsOptions): Promise<SharedPreparation> {
  const options = withWeights(given);
  const { numShards, files: shared, columns = [], memoryLimit, threads } = options;
  if (!(Number.isInteger(numShards) && numShards >= 1)) {
    throw new Error(`prepareInShards: expected a whole number of at least 1 shard, got ${numShards}`);
  }
  if (options.sessions.sample) {
    throw new Error('sessions.sample: a sample is drawn in one piece; prepare the log without shards');
  }
  const logFiles = 'generated' in options.dataset ? [] : await filesOf(options.dataset.files);
  const scratch = await makeTemporary(options.directory, 'shards');
  let log: DuckDbEventLog | undefined;
  try {
    const dataset =
      'generated' in options.dataset
        ? await generate(options.dataset, scratch)
        : { ...options.dataset, files: logFiles.map(({ path }) => path) };
    log = await connectEventLog(dataset, {
      ...logOptions(options),
      temporaryDirectory: scratch,
      memoryLimit,
      threads,
    });
    if (!log.hasTimes) assertNoTimesNeeded(options);
    const storedLog = 'generated' in options.dataset ? `shards/${nameContent(options, []).key}/log.parquet` : undefined;
    if (storedLog !== undefined) await shared.upload(storedLog, String(dataset.files));
    const { sessions, windows, split } = options;
    const sharedLog: SharedLog = {
      dataset: { ...dataset, files: logFiles.map(({ path }) => resolve(path)) },
      storedLog,
      sessions,
      windows,
      split,
      columns,
      timeUnits: log.timeUnits,
    };
    const submit = submitter(options.run);

    const looks = await lookAtAll(sharedLog, Math.max(1, logFiles.length), numShards, submit);
    const { key, source } = nameContent(options, looks.sha256);
    const name = `${nameOf(options.dataset)}-${key}`;
    if (await shared.read(`prepared/${name}/${MANIFEST_FILE}`)) return { name, key };
    await log.assertRange(looks.range);
    log.useRange(looks.range);
    const plan = planWindows(log, windows);

    const folder = `shards/${key}/${numShards}`;
    const common = { log: sharedLog, folder, numShards, range: looks.range };
    const { found, numRareFiles } = await findAll(common, log, scratch, options, submit);
    const sum = (of: (result: FindResult) => number) => found.reduce((total, result) => total + of(result), 0);
    if (sum(({ numEvents }) => numEvents) === 0) throw nothingStarts(plan, log);
    const numItems = await mergeItems({ ...common, numRareFiles }, log, scratch, shared);

    const job = { ...common, numRareFiles, numGroups: Math.min(numShards, plan.length) };
    const cut = await submit<SessionsResult>(
      shardNumbers(numShards).map((shard) => ({ ...job, step: 'sessions', shard })),
    );
    const counts = addCounts(cut.map((result) => result.counts));
    assertAnySession(counts, sessions);
    const written = await submit<WriteResult>(
      shardNumbers(job.numGroups).map((group) => ({ ...job, step: 'write', group, name })),
    );

    const result = join(scratch, 'result');
    await mkdir(result);
    await writeDictionaries(result, log, columns);
    const files: Record<string, number> = {};
    const infos: WindowInfo[] = [];
    for (const { windows: some } of written) {
      for (const { index, ...numbers } of some) infos[index] = { ...plan[index], ...numbers };
    }
    for (const { files: some } of written) Object.assign(files, some);
    for (const file of dictionaryFiles(columns)) {
      files[file] = (await stat(join(result, file))).size;
      await shared.upload(`prepared/${name}/${file}`, join(result, file));
    }
    await writeManifest(result, {
      layout: LAYOUT_VERSION,
      key,
      source,
      counts: {
        ...counts,
        numItems,
        numMissingEvents: sum(({ missing }) => missing.numEvents),
        numOtherTypeEvents: sum(({ numOtherTypeEvents }) => numOtherTypeEvents),
        numRareEvents: sum(({ numRareEvents }) => numRareEvents),
      },
      windows: infos,
      numRawItems: numItems,
      hasTimes: log.hasTimes,
      columns: [...columns],
      files,
    });
    await assertUnchanged(logFiles);
    await shared.upload(`prepared/${name}/${MANIFEST_FILE}`, join(result, MANIFEST_FILE));
    await shared.remove(`shards/${key}/`);
    return { name, key };
  } finally {
    log?.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

type Submit = <R extends ShardResult>(jobs: readonly ShardJob[]) => Promise<readonly R[]>;

/** Every preparation asks anew: what was done before is found among the shared files, and not in the memory of a queue. */
function submitter(run: PrepareInShardsOptions['run']): Submit {
  const attempt = randomUUID();
  let number = 0;
  return async <R extends ShardResult>(jobs: readonly ShardJob[]) => {
    const named = jobs.map((input, i) => ({
      id: `shard-${attempt}-${number++}`,
      name: `${input.step} ${i + 1}/${jobs.length}`,
      input,
    }));
    return (await run(named)) as readonly R[];
  };
}

async function lookAtAll(
  log: SharedLog,
  numFiles: number,
  numShards: number,
  submit: Submit,
): Promise<{ sha256: string[]; range: LogRange }> {
  const numJobs = Math.min(numShards, numFiles);
  const indicesOf = (job: number) =>
    Array.from({ length: numFiles }, (_, file) => file).filter((file) => file % numJobs === job);
  const looks = await submit<LookResult>(
    shardNumbers(numJobs).map((job) => ({ step: 'look', log, fileIndices: indicesOf(job) })),
  );
  const sha256: string[] = [];
  for (const [job, look] of looks.entries()) {
    for (const [i, file] of indicesOf(job).entries()) {
      if (look.sha256.length > 0) sha256[file] = look.sha256[i];
    }
  }
  return { sha256, range: joinRanges(looks.map(({ range }) => range)) };
}

function joinRanges(ranges: readonly LogRange[]): LogRange {
  const times = (of: (range: LogRange) => number, pick: (...values: number[]) => number) => {
    const known = ranges.map(of).filter((ms) => !Number.isNaN(ms));
    return known.length > 0 ? pick(...known) : Number.NaN;
  };
  const sum = (of: (range: LogRange) => number) => ranges.reduce((total, range) => total + of(range), 0);
  return {
    numEvents: sum(({ numEvents }) => numEvents),
    numUntimed: sum(({ numUntimed }) => numUntimed),
    firstMs: times(({ firstMs }) => firstMs, Math.min),
    lastMs: times(({ lastMs }) => lastMs, Math.max),
    firstStartMs: times(({ firstStartMs }) => firstStartMs, Math.min),
    lastStartMs: times(({ lastStartMs }) => lastStartMs, Math.max),
  };
}

/** Finds the items of all shards, without those that are too rare: one pass, and one for every time that something is left out. */
async function findAll(
  common: Omit<JobOfShards, 'numRareFiles'>,
  log: DuckDbEventLog,
  scratch: string,
  { sessions, dataset, numShards, files }: PrepareInShardsOptions,
  submit: Submit,
): Promise<{ readonly found: readonly FindResult[]; readonly numRareFiles: number }> {
  let before = 0;
  for (let numRareFiles = 0; ; numRareFiles++) {
    const found = await submit<FindResult>(
      shardNumbers(numShards).map((shard) => ({ ...common, step: 'find', shard, numRareFiles })),
    );
    const sum = (of: (result: FindResult) => number) => found.reduce((total, result) => total + of(result), 0);
    if (numRareFiles === 0) {
      before = sum(({ numEvents }) => numEvents);
      const types: Record<string, number> = {};
      for (const { eventTypeCounts } of found) {
        for (const [type, n] of Object.entries(eventTypeCounts)) types[type] = (types[type] ?? 0) + n;
      }
      if (sessions.eventTypes || sessions.eventWeights) assertTypes(types, sessions, log.label);
      const isStrict = 'onMissing' in dataset ? dataset.onMissing === 'error' : true;
      const numMissing = isStrict ? sum(({ missing }) => missing.numEvents) : 0;
      if (numMissing + sum(({ numMissingIds }) => numMissingIds) > 0) {
        await log.refuseMissing();
        throw new Error(`${log.label}: the log was changed while it was being read; run again when it is complete`);
      }
    } else {
      assertAnyLeft(
        before,
        sum(({ numEvents }) => numEvents),
        sessions,
      );
    }
    const isLast = !hasLimits(sessions) || (sessions.supportPasses === 'once' && numRareFiles === 1);
    if (isLast) return { found, numRareFiles };
    const paths = await downloadAll(numShards, join(scratch, `found-${numRareFiles}`), files, (shard) =>
      shardFiles.foundItems(common.folder, numRareFiles, shard),
    );
    const rareFile = join(scratch, `rare-${numRareFiles}`);
    const numRare = await saveRareItems(log, paths, sessions.minItemEvents, rareFile);
    // Keys have been looked at after the last items went.
    if (numRareFiles > 0 && numRare === 0) return { found, numRareFiles };
    await files.upload(shardFiles.rareItems(common.folder, numRareFiles), rareFile);
  }
}

/** The one dictionary of all shards. @returns number of items */
async function mergeItems(
  { folder, numRareFiles, numShards, log: sharedLog }: JobOfShards,
  log: DuckDbEventLog,
  scratch: string,
  files: SharedFiles,
): Promise<number> {
  const found = await downloadAll(numShards, join(scratch, 'found'), files, (shard) =>
    shardFiles.foundItems(folder, numRareFiles, shard),
  );
  const texts = new Map<number, string[]>();
  for (const column of textColumns(sharedLog)) {
    const paths = await downloadAll(numShards, join(scratch, `found-texts-${column}`), files, (shard) =>
      shardFiles.foundTexts(folder, numRareFiles, shard, column),
    );
    texts.set(column, paths);
  }
  const itemsFile = join(scratch, 'items');
  const textsFile = (column: number) => join(scratch, `texts-${column}`);
  const numItems = await mergeFound(log, found, (column) => texts.get(column) ?? [], itemsFile, textsFile);
  await files.upload(shardFiles.items(folder), itemsFile);
  for (const column of texts.keys()) await files.upload(shardFiles.texts(folder, column), textsFile(column));
  return numItems;
}

async function downloadAll(
  numShards: number,
  directory: string,
  files: SharedFiles,
  nameOfShard: (shard: number) => string,
): Promise<string[]> {
  await mkdir(directory);
  const paths: string[] = [];
  for (const shard of shardNumbers(numShards)) {
    paths.push(join(directory, `${shard}`));
    await files.download(nameOfShard(shard), paths[shard]);
  }
  return paths;
}

function addCounts(all: readonly SessionsResult['counts'][]): SessionsResult['counts'] {
  const total = { ...all[0] };
  for (const counts of all.slice(1)) {
    for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += counts[name];
  }
  return total;
}

function shardNumbers(count: number): number[] {
  return Array.from({ length: count }, (_, shard) => shard);
}
