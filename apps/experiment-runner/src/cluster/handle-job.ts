import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ShardResult } from '@nimue/data';
import { HopelessError, type JobHandler, type Store } from '@nimue/executor';
import { InputError } from '../input-error.ts';
import type { CellPool, CellResult } from '../sweep/cell-pool.ts';
import { assertCode } from './assert-code.ts';
import { handleShard, type SharedShard } from './handle-shard.ts';
import { fetchPrepared, readSharedResult, type SharedCell, shareResult } from './shared-cells.ts';

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
}

/** Does what comes over the queue: cells of sweeps, and pieces of preparations. */
export function handleJob(options: HandleJobOptions): JobHandler<SharedCell | SharedShard, CellResult | ShardResult> {
  const cells = handleCell(options);
  const shards = handleShard(options);
  return (input, context) => ('job' in input ? shards(input, context) : cells(input, context));
}

/** Runs a cell: data from the store, the run in a process of its own, the result to the store. */
function handleCell(options: HandleJobOptions): JobHandler<SharedCell, CellResult> {
  const { pool, code, openStore, cache } = options;
  return async (cell, { signal, onProgress }) => {
    const store = await openStore(options.store ?? cell.store);
    const found = await readSharedResult(store, cell.key);
    if (found) return { status: 'reused', result: found };
    assertCode(cell.code, code);
    const prepared = await fetchPrepared(store, cell.prepared, cache);
    const out = await mkdtemp(join(tmpdir(), 'nimue-cell-'));
    try {
      const request = { experiment: cell.experiment, prepared, out };
      const result = await pool.run(request, signal, (line) => onProgress({ line }));
      return { status: 'done', result: await shareResult(store, cell.key, result) };
    } catch (error) {
      // The experiment itself is at fault: it fails everywhere.
      if (error instanceof InputError) throw new HopelessError(error.message);
      throw error;
    } finally {
      await rm(out, { recursive: true, force: true });
    }
  };
}
