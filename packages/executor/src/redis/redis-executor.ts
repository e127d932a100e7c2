import { Queue, Job as QueuedJob, QueueEvents } from 'bullmq';
import type { Redis } from 'ioredis';
import {
  type Executor,
  type ExecutorProgress,
  type Job,
  type JobSource,
  type Outcome,
  type RunJobsOptions,
  sourceOf,
} from '../executor.ts';
import { createRate } from '../rate.ts';
import { assertRedis, connect } from './connect.ts';
import { cancelledKey, connectionOf, DEFAULT_QUEUE, jobOptions, type QueueSettings } from './queue-settings.ts';

export interface RedisExecutorOptions extends QueueSettings {
  /** 1 goes first, larger numbers later, none of them before all jobs that have none. */
  readonly priority?: number;
  /** How often all jobs are looked at, besides what events tell. Default 3000 ms. */
  readonly checkMs?: number;
}

/** What a worker hands back. */
export interface QueuedResult<O> {
  readonly status: 'done' | 'reused';
  readonly result: O;
}

/** So many jobs are added or looked at in one round trip. */
const BATCH = 200;

/**
 * Hands jobs to the workers of a BullMQ queue and waits for them, wherever they run. The job's id is its name in the queue: a
 * job that another submitter has queued is waited for and not queued again, and one that has finished already counts
 * as `reused`. Redis may go away for a while, and even lose the queue: what is missing is queued again. All that a source has
 * is queued at once, since how many workers there are is not known here.
 *
 * @throws when no Redis answers
 */
export async function createRedisExecutor<I, O>(options: RedisExecutorOptions): Promise<Executor<I, O>> {
  await assertRedis(options.url);
  const { url, queue: name = DEFAULT_QUEUE } = options;
  const queue = new Queue<I, QueuedResult<O>>(name, { connection: connectionOf(url) });
  const events = new QueueEvents(name, { connection: connectionOf(url) });
  // Both try again by themselves; what was missed meanwhile the regular look finds.
  queue.on('error', () => {});
  events.on('error', () => {});
  const redis = connect(url);
  await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);
  return {
    run: (jobs, runOptions = {}) => submit({ queue, events, redis }, options, sourceOf(jobs), runOptions),
    async close() {
      await Promise.allSettled([events.close(), queue.close()]);
      redis.disconnect();
    },
  };
}

interface Connections<I, O> {
  readonly queue: Queue<I, QueuedResult<O>>;
  readonly events: QueueEvents;
  readonly redis: Redis;
}

async function submit<I, O>(
  { queue, events, redis }: Connections<I, O>,
  { priority, checkMs = 3000 }: RedisExecutorOptions,
  source: JobSource<I>,
  { onOutcome, onJobProgress, onProgress, signal }: RunJobsOptions<I, O>,
): Promise<Outcome<O>[]> {
  signal?.throwIfAborted();
  const jobs: Job<I>[] = [];
  const outcomes: Outcome<O>[] = [];
  const places = new Map<string, number[]>();
  const pending = new Set<string>();
  /** Pending jobs of which nobody has looked yet whether the queue knows them. */
  const unseen = new Set<string>();
  const running = new Set<string>();
  const own = new Set<string>();
  const rate = createRate();
  let [numDone, numFailed] = [0, 0];
  let resolveAll = () => {};
  let rejectAll = (_error: unknown) => {};
  const allFinished = new Promise<void>((resolve, reject) => {
    resolveAll = resolve;
    rejectAll = reject;
  });
  allFinished.catch(() => {});

  /** A job has one outcome, whatever is heard of it later. */
  const finish = (id: string, outcome: Outcome<O>) => {
    if (!pending.delete(id)) return;
    running.delete(id);
    unseen.delete(id);
    for (const index of places.get(id) ?? []) {
      if (outcomes[index]) continue;
      outcomes[index] = outcome;
      rate.add();
      if (outcome.status === 'failed') numFailed++;
      else numDone++;
      onOutcome?.(jobs[index], outcome, index);
    }
    pull();
  };
  const jobOf = (id: string) => jobs[(places.get(id) as number[])[0]];

  const add = async (ids: readonly string[]) => {
    for (let from = 0; from < ids.length; from += BATCH) {
      const part = ids.slice(from, from + BATCH);
      for (const id of part) own.add(id);
      await redis.srem(cancelledKey(queue.name), ...part);
      // The types of BullMQ make conditional types of name and data, which a type parameter does not resolve.
      const bulk = part.map((id) => {
        const { input, precedence } = jobOf(id);
        return { name: 'job', data: input, opts: jobOptions(id, priority, precedence) };
      });
      await queue.addBulk(bulk as never);
    }
  };

  /** Looks at jobs that have not finished: takes what has, and queues what Redis does not know. */
  const check = async (ids: readonly string[]) => {
    const missing: string[] = [];
    for (let from = 0; from < ids.length; from += BATCH) {
      await Promise.all(
        ids.slice(from, from + BATCH).map(async (id) => {
          const job = await QueuedJob.fromId<I, QueuedResult<O>>(queue, id);
          const state = job ? await job.getState() : 'unknown';
          const isFirst = unseen.has(id);
          if (!job || state === 'unknown') missing.push(id);
          else if (state === 'completed') {
            // It may have been read before it ended and asked for its state after.
            const value = job.returnvalue ?? (await QueuedJob.fromId<I, QueuedResult<O>>(queue, id))?.returnvalue;
            if (value) finish(id, { status: isFirst ? 'reused' : value.status, result: value.result });
          } else if (state === 'failed') {
            if (!isFirst) return finish(id, { status: 'failed', error: job.failedReason });
            // A dead letter of an earlier time: whoever asks again wants it tried again.
            await job.remove();
            missing.push(id);
          }
          unseen.delete(id);
        }),
      );
    }
    if (missing.length > 0) await add(missing);
  };

  /** Takes what the source has. */
  const take = async () => {
    const taken: string[] = [];
    for (;;) {
      const job = await source.next();
      if (!job) break;
      places.set(job.id, [...(places.get(job.id) ?? []), jobs.push(job) - 1]);
      if (pending.has(job.id)) continue;
      pending.add(job.id);
      unseen.add(job.id);
      taken.push(job.id);
    }
    return taken;
  };

  /** Jobs that are being looked at for the first time. */
  const looking = new Set<string>();
  const firstLook = async (ids: readonly string[]) => {
    for (const id of ids) looking.add(id);
    try {
      await check(ids);
    } catch (error) {
      // What is wrong from the beginning stays wrong; later Redis may be away, and the regular look comes back to them.
      if (outcomes.length === 0) throw error;
    } finally {
      for (const id of ids) looking.delete(id);
    }
  };

  let numPulls = 0;
  let pulled: Promise<void> = Promise.resolve();
  /** Asks the source again, after all that was asked before; when nothing comes and nothing is pending, all is done. */
  const pull = () => {
    numPulls++;
    pulled = pulled
      .then(async () => firstLook(await take()))
      .then(() => {
        if (--numPulls === 0 && pending.size === 0) resolveAll();
      }, rejectAll);
  };

  const onCompleted = ({ jobId, returnvalue }: { jobId: string; returnvalue: unknown }) => {
    if (!pending.has(jobId)) return;
    const value = typeof returnvalue === 'string' ? (JSON.parse(returnvalue) as QueuedResult<O>) : returnvalue;
    finish(jobId, value as QueuedResult<O>);
  };
  // The event fires at the last attempt only.
  const onFailed = ({ jobId, failedReason }: { jobId: string; failedReason: string }) =>
    finish(jobId, { status: 'failed', error: failedReason });
  const onActive = ({ jobId }: { jobId: string }) => void (pending.has(jobId) && running.add(jobId));
  const onWaiting = ({ jobId }: { jobId: string }) => void running.delete(jobId);
  const onSaid = ({ jobId, data }: { jobId: string; data: unknown }) => {
    if (pending.has(jobId)) onJobProgress?.(jobOf(jobId), data);
  };
  events.on('completed', onCompleted);
  events.on('failed', onFailed);
  events.on('active', onActive);
  events.on('waiting', onWaiting);
  events.on('delayed', onWaiting);
  events.on('progress', onSaid);
  const progress = (): ExecutorProgress => ({
    numDone,
    numFailed,
    numRunning: running.size,
    numWaiting: pending.size - running.size + source.numWaiting(),
    perMinute: rate.perMinute(),
  });
  const ticker = onProgress && setInterval(() => onProgress(progress()), 1000);
  let isChecking = false;
  const checker = setInterval(() => {
    if (isChecking) return;
    isChecking = true;
    check([...pending].filter((id) => !looking.has(id)))
      .catch(() => {})
      .finally(() => {
        isChecking = false;
      });
  }, checkMs);
  const aborted = new Promise<never>((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  aborted.catch(() => {});
  try {
    pull();
    await Promise.race([allFinished, aborted]);
    onProgress?.(progress());
    return outcomes;
  } catch (error) {
    clearInterval(checker);
    await cancel(
      { queue, redis },
      [...pending].filter((id) => own.has(id)),
    );
    throw error;
  } finally {
    clearInterval(checker);
    clearInterval(ticker);
    events.off('completed', onCompleted);
    events.off('failed', onFailed);
    events.off('active', onActive);
    events.off('waiting', onWaiting);
    events.off('delayed', onWaiting);
    events.off('progress', onSaid);
  }
}

/** Takes waiting jobs out of the queue, and tells the workers of running ones. */
async function cancel<I, O>(
  { queue, redis }: Pick<Connections<I, O>, 'queue' | 'redis'>,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  const key = cancelledKey(queue.name);
  await redis.sadd(key, ...ids);
  await redis.expire(key, 86_400);
  await Promise.allSettled(
    ids.map(async (id) => {
      const job = await QueuedJob.fromId(queue, id);
      // A running job is locked and stays; its worker reads the list.
      if (job && !(await job.isActive())) await job.remove();
    }),
  );
}
