import { sharedLimiter } from '../fleet/both-limiters.ts';
import { redisLimiter } from '../fleet/limiter.ts';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import type { Rate } from '../text/duration.ts';

export const POLL_TIMEOUT_MS = 20_000;

/** Polls for tasks that were called back have a share of the limit to themselves, as large as the others leave it. */
export function redisPollLimiter(redis: RedisClient, keys: Keys, rate: Rate) {
  const limiter = (name: string) => redisLimiter(redis, keys, { name, rate, requestTimeoutMs: POLL_TIMEOUT_MS });
  return sharedLimiter(limiter('poll'), limiter('poll-uncalled'));
}
