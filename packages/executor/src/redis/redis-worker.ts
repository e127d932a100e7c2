import { randomUUID } from 'node:crypto';
import { DelayedError, UnrecoverableError, Worker } from 'bullmq';
import { HopelessError, type JobHandler, messageOf } from '../executor.ts';
import { assertRedis, connect } from './connect.ts';
import {
  CANCELLED,
  cancelledKey,
  connectionOf,
  DEFAULT_LOCK_MS,
  DEFAULT_QUEUE,
  MAX_STALLS,
  type QueueSettings,
} from './queue-settings.ts';
import type { QueuedResult } from './redis-executor.ts';
import type { WorkerEvent } from './worker-event.ts';

export interface RedisWorkerOptions<I, O> extends QueueSettings {
  readonly handle: JobHandler<I, O>;
  /** So many jobs at a time. Default 1. */
  readonly concurrency?: number;
  /** Hears what happens. */
  readonly onEvent?: (event: WorkerEvent) => void;
}

export interface RedisWorker {
  /** Whether Redis answers now. */
  isConnected(): boolean;
  /** Ids of the jobs that it works on. */
  active(): readonly string[];
  /**
   * Takes no more jobs, waits for those that run, and after `graceMs` gives them back to the queue, where they lose no
   * attempt.
   */
  close(graceMs?: number): Promise<void>;
}

/**
 * Takes jobs of a queue and works on them until it is closed. A worker that dies loses its jobs to others after `lockMs`; a
 * handler that throws is tried again after 1, 2 and 4 s or so, here or elsewhere, and not at all when it throws a
 * `HopelessError`.
 *
 * The handler must leave the event loop free now and then, since the lock of its job is renewed on it.
 *
 * @throws when no Redis answers
 */
export async function startRedisWorker<I, O>(options: RedisWorkerOptions<I, O>): Promise<RedisWorker> {
  await assertRedis(options.url);
  const { url, queue = DEFAULT_QUEUE, lockMs = DEFAULT_LOCK_MS, handle, concurrency = 1, onEvent } = options;
  const redis = connect(url);
  const running = new Map<string, AbortController>();
  const worker = new Worker<I, QueuedResult<O>>(
    queue,
    async (job, token) => {
      const id = job.id ?? randomUUID();
      const controller = new AbortController();
      running.set(id, controller);
      onEvent?.({ type: 'begins', job: id, attempt: job.attemptsMade + 1 });
      try {
        const onProgress = (progress: unknown) => void job.updateProgress(progress as object).catch(() => {});
        const outcome = await handle(job.data, { id, signal: controller.signal, onProgress });
        onEvent?.({ type: outcome.status, job: id });
        return outcome;
      } catch (error) {
        if (controller.signal.reason === GIVEN_BACK) {
          await job.moveToDelayed(Date.now() + 1, token);
          throw new DelayedError();
        }
        if (controller.signal.reason === CANCELLED) throw new UnrecoverableError(CANCELLED);
        if (error instanceof HopelessError) throw new UnrecoverableError(error.message);
        throw error;
      } finally {
        running.delete(id);
      }
    },
    {
      connection: connectionOf(url),
      concurrency,
      lockDuration: lockMs,
      stalledInterval: lockMs,
      maxStalledCount: MAX_STALLS,
    },
  );
  worker.on('error', (error) => onEvent?.({ type: 'redis', error: messageOf(error) }));
  worker.on('failed', (job, { message }) => onEvent?.({ type: 'failed', job: String(job?.id), error: message }));
  worker.on('stalled', (job) => onEvent?.({ type: 'stalled', job }));
  await worker.waitUntilReady();

  const watch = setInterval(async () => {
    const ids = [...running.keys()];
    if (ids.length === 0) return;
    const flags = await redis.smismember(cancelledKey(queue), ...ids).catch(() => []);
    flags.forEach((flag, i) => {
      if (flag === 1) running.get(ids[i])?.abort(CANCELLED);
    });
  }, 1000);
  return {
    isConnected: () => redis.status === 'ready' && worker.isRunning(),
    active: () => [...running.keys()],
    async close(graceMs = 0) {
      const closing = worker.close();
      const timer = setTimeout(() => {
        for (const controller of running.values()) controller.abort(GIVEN_BACK);
      }, graceMs);
      await closing.finally(() => clearTimeout(timer));
      clearInterval(watch);
      redis.disconnect();
    },
  };
}

const GIVEN_BACK = 'given back';
