import { Redis } from 'ioredis';
import { FluxError } from '../errors.ts';
import { withoutPassword } from '../scrub.ts';

export type RedisClient = Redis;

/**
 * A worker's connection waits for a lost Redis as long as it takes; a command's (`patient: false`) fails at once, so that
 * a person gets an answer.
 */
export async function connectRedis(url: string, options: { patient: boolean; name: string }): Promise<RedisClient> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectionName: options.name,
    maxRetriesPerRequest: options.patient ? null : 2,
    // Ends a closed connection at once; its default keeps the process alive for 2 s.
    disconnectTimeout: 100,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 6), 2_000),
  });
  // ioredis reports each lost connection here and mends it by itself; commands carry the errors that matter.
  redis.on('error', () => {});
  try {
    await firstAnswer(redis);
  } catch (cause) {
    redis.disconnect();
    throw new FluxError('redis-unreachable', `Redis does not answer at ${withoutPassword(url)}: ${reasonOf(cause)}`, {
      hint: 'Check REDIS_URL, or leave it unset: then a private redis-server is started.',
      cause,
    });
  }
  return redis;
}

/** The first connection is tried once, so that a wrong address is an error and not a wait. */
async function firstAnswer(redis: Redis): Promise<void> {
  let lastError: unknown;
  const note = (error: unknown) => {
    lastError = error;
  };
  redis.on('error', note);
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    throw lastError ?? error;
  } finally {
    redis.off('error', note);
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message || cause.name : String(cause);
}
