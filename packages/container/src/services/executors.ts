import { createLocalExecutor, createRedisExecutor, type Executor, type LocalExecutorOptions } from '@nimue/executor';

export interface ExecutorRequest<I, O> {
  /** Absent: in the care of this process. Otherwise the address of the Redis whose workers do the work. */
  readonly redis?: { readonly url: string; readonly queue?: string; readonly priority?: number };
  /** How a job is done here, when it is done here. */
  readonly local: LocalExecutorOptions<I, O>;
}

/** Chooses where jobs run. */
export type ExecutorFactory = <I, O>(request: ExecutorRequest<I, O>) => Promise<Executor<I, O>>;

export const createExecutor: ExecutorFactory = async ({ redis, local }) =>
  redis ? createRedisExecutor(redis) : createLocalExecutor(local);
