import { Queue } from 'bullmq';
import { assertRedis } from './connect.ts';
import { connectionOf, DEFAULT_QUEUE, type QueueSettings } from './queue-settings.ts';

/** A job that has failed for good. */
export interface DeadLetter {
  readonly id: string;
  readonly error: string;
  readonly attempts: number;
  readonly failedAt: string;
  readonly input: unknown;
}

export interface QueueState {
  readonly counts: Readonly<Record<'waiting' | 'running' | 'delayed' | 'done' | 'failed', number>>;
  /** The latest first. */
  readonly deadLetters: readonly DeadLetter[];
}

/** @throws when no Redis answers */
export async function readQueue(settings: QueueSettings, limit = 1000): Promise<QueueState> {
  return withQueue(settings, async (queue) => {
    const counts = await queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed', 'completed', 'failed');
    const failed = await queue.getFailed(0, limit - 1);
    return {
      counts: {
        waiting: counts.waiting + counts.prioritized,
        running: counts.active,
        delayed: counts.delayed,
        done: counts.completed,
        failed: counts.failed,
      },
      deadLetters: failed.map((job) => ({
        id: String(job.id),
        error: job.failedReason,
        attempts: job.attemptsMade,
        failedAt: new Date(job.finishedOn ?? 0).toISOString(),
        input: job.data,
      })),
    };
  });
}

/** Queues all dead letters again. @returns how many */
export async function retryDeadLetters(settings: QueueSettings): Promise<number> {
  return withQueue(settings, async (queue) => {
    const { failed } = await queue.getJobCounts('failed');
    if (failed > 0) await queue.retryJobs({ state: 'failed' });
    return failed;
  });
}

async function withQueue<T>(
  { url, queue: name = DEFAULT_QUEUE }: QueueSettings,
  body: (queue: Queue) => Promise<T>,
): Promise<T> {
  await assertRedis(url);
  const queue = new Queue(name, { connection: connectionOf(url) });
  queue.on('error', () => {});
  try {
    return await body(queue);
  } finally {
    await queue.close();
  }
}
