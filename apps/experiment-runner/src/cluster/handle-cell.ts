import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HopelessError, type JobHandler, type Store } from '@nimue/executor';
import { InputError } from '../input-error.ts';
import type { CellPool, CellResult } from '../sweep/cell-pool.ts';
import { fetchPrepared, readSharedResult, type SharedCell, shareResult } from './shared-cells.ts';

export interface HandleCellOptions {
  readonly pool: CellPool;
  /** Version and commit of this worker. */
  readonly code: string;
  readonly openStore: (address: string) => Promise<Store>;
  /** Instead of the address that a cell names, where the same store has another one here. */
  readonly store?: string;
  /** Prepared data lies here and is reused. */
  readonly cache: string;
}

/** Runs a cell that came over the queue: data from the store, the run in a process of its own, the result to the store. */
export function handleCell(options: HandleCellOptions): JobHandler<SharedCell, CellResult> {
  const { pool, code, openStore, cache } = options;
  return async (cell, { signal, onProgress }) => {
    const store = await openStore(options.store ?? cell.store);
    const found = await readSharedResult(store, cell.key);
    if (found) return { status: 'reused', result: found };
    // Another worker may have the right one, so the job is tried again.
    if (cell.code !== code) throw new Error(`this worker has Nimue ${code}, the sweep is of ${cell.code}`);
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
