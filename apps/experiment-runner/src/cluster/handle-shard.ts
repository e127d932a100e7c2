import type { ShardJob, ShardResult } from '@nimue/data';
import type { JobHandler } from '@nimue/executor';
import type { CellPool } from '../sweep/cell-pool.ts';
import { assertCode } from './assert-code.ts';

/** A piece of a preparation on its way to a worker. */
export interface SharedShard {
  readonly job: ShardJob;
  readonly code: string;
  /** Address of the store, as the submitter sees it. */
  readonly store: string;
}

export interface HandleShardOptions {
  readonly pool: CellPool;
  readonly code: string;
  /** Instead of the address that a job names, where the same store has another one here. */
  readonly store?: string;
  /** Temporary files lie here. */
  readonly cache: string;
  readonly threads: number;
}

/** Does a piece of a preparation in a process of its own, since it would hold up the renewal of its lock. */
export function handleShard(options: HandleShardOptions): JobHandler<SharedShard, ShardResult> {
  const { pool, code, cache, threads } = options;
  return async (input, { signal }) => {
    assertCode(input.code, code);
    const request = { job: input.job, store: options.store ?? input.store, scratch: cache, threads };
    return { status: 'done', result: await pool.prepare(request, signal) };
  };
}
