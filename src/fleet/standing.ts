import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';

/** Whether a batch stands still, and what of it does so by its budget. */
export function redisStanding(redis: RedisClient, keys: Keys) {
  return {
    /** Items that the budget has no room for; none while some of them may have it by now. */
    async overBudget(batch: string): Promise<ReadonlySet<string>> {
      const [ids, mayHaveRoom] = await Promise.all([
        redis.hkeys(keys.overBudget(batch)),
        redis.hexists(keys.batch(batch), 'room'),
      ]);
      return new Set(mayHaveRoom === 1 ? [] : ids);
    },
    /** The same text as long as no item of the batch moves, and as many are over budget. */
    async standing(batch: string): Promise<string> {
      return (await redis.hmget(keys.batch(batch), 'version', 'beyond', 'room')).join(' ');
    },
  };
}
