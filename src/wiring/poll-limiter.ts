import { sharedLimiter } from '../fleet/both-limiters.ts';
import { redisLimiter } from '../fleet/limiter.ts';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import type { Rate } from '../text/duration.ts';

export const POLL_TIMEOUT_MS = 20_000;

/**
 * What is added to the window, of it. A second's window with the submits' 100 ms would lose a tenth of all polls, and a poll that is
 * refused for its rate costs a moment, where a submit may cost a window: so it is learned from refusals.
 */
const MARGIN = { ofWindow: 1 / 40, mostMs: 100 };

/** Polls for tasks that were called back have a share of the limit to themselves, as large as the others leave it. */
export function redisPollLimiter(redis: RedisClient, keys: Keys, rate: Rate) {
  const marginMs = Math.round(Math.min(MARGIN.mostMs, rate.windowMs * MARGIN.ofWindow));
  const limiter = (name: string) =>
    redisLimiter(redis, keys, { name, rate, requestTimeoutMs: POLL_TIMEOUT_MS, marginMs });
  return sharedLimiter(limiter('poll'), limiter('poll-uncalled'));
}
