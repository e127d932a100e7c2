export {
  type Executor,
  type ExecutorProgress,
  HopelessError,
  type Job,
  type JobHandler,
  type JobSource,
  NoMemoryError,
  type Outcome,
  type RunJobsOptions,
} from './executor.ts';
export { createLocalExecutor, type LocalExecutorOptions } from './local-executor.ts';
export type { DeadLetter, QueueState } from './redis/dead-letters.ts';
export { MAX_PRIORITY, parseRedisUrl, type QueueSettings } from './redis/queue-settings.ts';
export type { RedisExecutorOptions } from './redis/redis-executor.ts';
export type { RedisWorker, RedisWorkerOptions } from './redis/redis-worker.ts';
export { describeWorkerEvent, type WorkerEvent } from './redis/worker-event.ts';
export { createRedisExecutor, readQueue, retryDeadLetters, startRedisWorker } from './redis.ts';
export { createFolderStore } from './store/folder-store.ts';
export { openStore } from './store/open-store.ts';
export type { Store } from './store/store.ts';
