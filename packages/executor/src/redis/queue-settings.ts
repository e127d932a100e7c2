import type { ConnectionOptions, JobsOptions } from 'bullmq';

export interface QueueSettings {
  /** `redis://[user:password@]host:port[/database]`, or `rediss://` for TLS. */
  readonly url: string;
  /** Everything that belongs together has one name. Default `nimue`. */
  readonly queue?: string;
  /** A worker that says nothing for so long has lost its job to the next one. Default 30,000 ms. */
  readonly lockMs?: number;
}

export const DEFAULT_QUEUE = 'nimue';
export const DEFAULT_LOCK_MS = 30_000;

/** How often a job is begun again when its worker dies in it: one that kills every worker has to end. */
export const MAX_STALLS = 20;

export const RETRIES = { attempts: 4, backoffMs: 1000 };

/** Waits for a Redis that is away for a while instead of giving up; a command fails after no number of attempts. */
export function connectionOf(url: string): ConnectionOptions {
  const parsed = parseRedisUrl(url);
  return {
    host: parsed.hostname,
    port: Number(parsed.port || 6379),
    ...(parsed.username && { username: decodeURIComponent(parsed.username) }),
    ...(parsed.password && { password: decodeURIComponent(parsed.password) }),
    ...(parsed.pathname.length > 1 && { db: Number(parsed.pathname.slice(1)) }),
    ...(parsed.protocol === 'rediss:' && { tls: {} }),
    maxRetriesPerRequest: null,
    retryStrategy: (attempt: number) => Math.min(100 * attempt, 2000),
  };
}

/** @throws when the text is no address of a Redis */
export function parseRedisUrl(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isRedis = parsed?.protocol === 'redis:' || parsed?.protocol === 'rediss:';
  if (parsed && isRedis && parsed.hostname && /^(\/\d*)?$/.test(parsed.pathname)) return parsed;
  throw new Error(
    `'${url}' is no address of a Redis, expected redis://host:6379 or rediss://user:password@host:6379/0`,
  );
}

/** Precedences of one priority: BullMQ knows a single number, of which the smaller goes first. */
const MAX_PRECEDENCE = 63;
/** The least urgent that fits BullMQ's largest number, 2²¹, with its precedences. */
export const MAX_PRIORITY = 2 ** 21 / (MAX_PRECEDENCE + 1);

/**
 * Kept after the end, so that a submitter that was away finds the result; the failed ones are the dead letters.
 *
 * @param precedence of the job among those of the same priority; without a priority, whether it goes before what waits
 */
export function jobOptions(id: string, priority: number | undefined, precedence = 0): JobsOptions {
  return {
    jobId: id,
    ...(priority === undefined
      ? { lifo: precedence > 0 }
      : { priority: priority * (MAX_PRECEDENCE + 1) - Math.min(precedence, MAX_PRECEDENCE) }),
    attempts: RETRIES.attempts,
    backoff: { type: 'exponential', delay: RETRIES.backoffMs, jitter: 0.5 },
    removeOnComplete: { age: 7 * 86_400 },
    removeOnFail: false,
  };
}

/** Ids of jobs that were cancelled while they ran. */
export function cancelledKey(queue: string): string {
  return `nimue:${queue}:cancelled`;
}

export const CANCELLED = 'cancelled';
