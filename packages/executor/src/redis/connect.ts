import { Redis, type RedisOptions } from 'ioredis';
import { messageOf } from '../executor.ts';
import { connectionOf } from './queue-settings.ts';

/**
 * Asks a Redis whether it is there.
 *
 * @throws within about `timeoutMs` when it is not
 */
export async function assertRedis(url: string, timeoutMs = 5000): Promise<void> {
  const options: RedisOptions = {
    ...(connectionOf(url) as RedisOptions),
    lazyConnect: true,
    connectTimeout: timeoutMs,
    maxRetriesPerRequest: 1,
    retryStrategy: () => null,
  };
  const redis = new Redis(options);
  redis.on('error', () => {});
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    const where = new URL(url).host;
    throw new Error(`no Redis answers at ${where}: ${messageOf(error)}; start one with redis-server --appendonly yes`);
  } finally {
    redis.disconnect();
  }
}

/** A connection that waits for a Redis that is away; `disconnect` it. */
export function connect(url: string): Redis {
  const redis = new Redis(connectionOf(url) as RedisOptions);
  redis.on('error', () => {});
  return redis;
}
