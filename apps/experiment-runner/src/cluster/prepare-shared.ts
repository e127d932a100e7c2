import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { NimueServices, PrepareRequest } from '@nimue/container';
import { prepareInShards, type ShardResult, type SharedPreparation } from '@nimue/data';
import type { RunJobsOptions, Store } from '@nimue/executor';
import type { CellPool } from '../sweep/cell-pool.ts';
import { handleShard, type SharedShard } from './handle-shard.ts';

export interface PrepareSharedOptions {
  readonly numShards: number;
  /** Whose workers do it; otherwise processes of this machine. */
  readonly redis?: { readonly url: string; readonly queue?: string; readonly priority?: number };
  /** Where the pieces meet, and where the result lies. */
  readonly store: Store;
  readonly pool: CellPool;
  readonly code: string;
  readonly watch?: Pick<RunJobsOptions<SharedShard, ShardResult>, 'signal' | 'onProgress'> & {
    readonly onFinished?: (name: string) => void;
  };
}

/**
 * Prepares a log in shards, by the executor that runs sweeps.
 *
 * @throws naming the piece that failed for good, and as the preparation by one process
 */
export async function prepareShared(
  services: Pick<NimueServices, 'createExecutor'>,
  request: PrepareRequest,
  { numShards, redis, store, pool, code, watch }: PrepareSharedOptions,
): Promise<SharedPreparation> {
  const workers = Math.min(numShards, availableParallelism());
  const threads = Math.max(1, Math.floor(availableParallelism() / workers));
  const executor = await services.createExecutor<SharedShard, ShardResult>({
    redis,
    local: { workers, handle: handleShard({ pool, code, cache: request.directory, threads }) },
  });
  try {
    return await prepareInShards({
      ...request,
      numShards,
      files: store,
      run: async (jobs) => {
        const outcomes = await executor.run(
          jobs.map(({ input, ...job }) => ({ ...job, input: { job: input, code, store: store.url } })),
          {
            signal: watch?.signal,
            onProgress: watch?.onProgress,
            onOutcome: ({ name }, { status }) => void (status === 'failed' || watch?.onFinished?.(name)),
          },
        );
        return outcomes.map((outcome, i) => {
          if (outcome.status === 'failed') throw new Error(`${jobs[i].name}: ${outcome.error}`);
          return outcome.result;
        });
      },
    });
  } finally {
    await executor.close();
  }
}

/** The same with processes of this machine. @returns its folder in `request.directory` */
export async function prepareHere(
  services: Pick<NimueServices, 'createExecutor' | 'openStore'>,
  request: PrepareRequest,
  options: Omit<PrepareSharedOptions, 'redis' | 'store'>,
): Promise<SharedPreparation & { readonly directory: string }> {
  const { directory } = request;
  await mkdir(directory, { recursive: true });
  // Named as what a killed preparation leaves, which the next one clears away.
  const folder = await mkdtemp(join(directory, '.preparing-store-'));
  try {
    const inFolder = await services.openStore(`${pathToFileURL(folder).href}?sync=no`);
    // What was prepared before lies in the directory itself.
    const store: Store = {
      ...inFolder,
      read: async (name) => (await inFolder.read(name)) ?? (await readPrepared(directory, name)),
    };
    const made = await prepareShared(services, request, { ...options, store });
    const target = join(directory, made.name);
    await rename(join(folder, 'prepared', made.name), target).catch(async (error: unknown) => {
      // It was there, or another process was quicker.
      if (!(await readPrepared(directory, manifestOf(made.name)))) throw error;
    });
    return { ...made, directory: target };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The manifest of a data set in the directory, by its name in a store; it lies there as a whole or not at all. */
async function readPrepared(directory: string, name: string): Promise<Buffer | undefined> {
  const [, dataset] = name.split('/');
  if (name !== manifestOf(dataset)) return undefined;
  return readFile(join(directory, dataset, 'manifest.json')).catch(() => undefined);
}

function manifestOf(dataset: string): string {
  return `prepared/${dataset}/manifest.json`;
}
