import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ShardResult } from '@nimue/data';
import { HopelessError, type JobHandler, type Store } from '@nimue/executor';
import { InputError } from '../input-error.ts';
import type { CellPool, CellResult } from '../sweep/cell-pool.ts';
import { runResuming } from '../sweep/run-resuming.ts';
import { assertCode } from './assert-code.ts';
import { handleShard, type SharedShard } from './handle-shard.ts';
import { keepRegularly } from './keep-regularly.ts';
import { fetchPrepared, readSharedResult, type SharedCell, shareResult } from './shared-cells.ts';
import { unfinishedCell } from './unfinished-cell.ts';

export interface HandleJobOptions {
  readonly pool: CellPool;
  /** Version and commit of this worker. */
  readonly code: string;
  readonly openStore: (address: string) => Promise<Store>;
  /** Instead of the address that a cell names, where the same store has another one here. */
  readonly store?: string;
  /** Prepared data lies here and is reused. */
  readonly cache: string;
  /** Of a piece of a preparation. */
  readonly threads: number;
  /** How often what a cell has learned is put into the store, for another worker to go on with. */
  readonly keepMs: number;
  /** Hears of a job that goes on from what another worker has left. */
  readonly onResumed?: (id: string) => void;
}

/** Does what comes over the queue: cells of sweeps, and pieces of preparations. */
export function handleJob(options: HandleJobOptions): JobHandler<SharedCell | SharedShard, CellResult | ShardResult> {
  const cells = handleCell(options);
  const shards = handleShard(options);
  return (input, context) => ('job' in input ? shards(input, context) : cells(input, context));
}

/** Runs a cell: data, and what a worker before has learned, from the store, the run in a process of its own, the result to the store. */
function handleCell(options: HandleJobOptions): JobHandler<SharedCell, CellResult> {
  const { pool, code, openStore, cache, keepMs, onResumed } = options;
  return async (cell, { id, signal, onProgress }) => {
    const store = await openStore(options.store ?? cell.store);
    const found = await readSharedResult(store, cell.key);
    if (found) return { status: 'reused', result: found };
    assertCode(cell.code, code);
    const prepared = await fetchPrepared(store, cell.prepared, cache);
    const out = await mkdtemp(join(tmpdir(), 'nimue-cell-'));
    const unfinished = unfinishedCell(store, cell.key, out);
    const say = (line: string) => onProgress({ line });
    try {
      const resume = await unfinished.fetch();
      if (resume) onResumed?.(id);
      const request = { experiment: cell.experiment, prepared, out, resume };
      const stopKeeping = keepRegularly(unfinished.keep, keepMs, (message) => say(`not kept in the store: ${message}`));
      const result = await runResuming(pool, request, signal, say, async (message) => {
        say(`${message}; begins anew`);
        if (resume) await rm(resume, { recursive: true, force: true });
      }).finally(stopKeeping);
      const shared = await shareResult(store, cell.key, result);
      await unfinished.forget();
      return { status: 'done', result: shared };
    } catch (error) {
      // The experiment itself is at fault: it fails everywhere.
      if (error instanceof InputError) throw new HopelessError(error.message);
      throw error;
    } finally {
      await rm(out, { recursive: true, force: true });
    }
  };
}
