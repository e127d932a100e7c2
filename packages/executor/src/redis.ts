import type { Executor } from './executor.ts';
import type { QueueState } from './redis/dead-letters.ts';
import type { QueueSettings } from './redis/queue-settings.ts';
import type { RedisExecutorOptions } from './redis/redis-executor.ts';
import type { RedisWorker, RedisWorkerOptions } from './redis/redis-worker.ts';

// BullMQ is loaded by those who use it only.

/** Hands jobs to the workers of a queue: see `redis/redis-executor.ts`. @throws when no Redis answers */
export async function createRedisExecutor<I, O>(options: RedisExecutorOptions): Promise<Executor<I, O>> {
  return (await import('./redis/redis-executor.ts')).createRedisExecutor(options);
}

/** Works on the jobs of a queue: see `redis/redis-worker.ts`. @throws when no Redis answers */
export async function startRedisWorker<I, O>(options: RedisWorkerOptions<I, O>): Promise<RedisWorker> {
  return (await import('./redis/redis-worker.ts')).startRedisWorker(options);
}

/** How many jobs are where, and those that have failed for good. @throws when no Redis answers */
export async function readQueue(settings: QueueSettings, limit?: number): Promise<QueueState> {
  return (await import('./redis/dead-letters.ts')).readQueue(settings, limit);
}

/** Queues all dead letters again. @returns how many @throws when no Redis answers */
export async function retryDeadLetters(settings: QueueSettings): Promise<number> {
  return (await import('./redis/dead-letters.ts')).retryDeadLetters(settings);
}
