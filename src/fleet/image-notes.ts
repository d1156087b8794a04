import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import type { ItemRef } from '../stages/ports.ts';

const MOST_NOTES = 1_000;
const KEPT_FOR_S = 14 * 86_400;

/** What is odd about archived images, for the summary of a run. The records have it for good. */
export function redisImageNotes(redis: RedisClient, keys: Keys) {
  return {
    async tellNote({ batch, id }: ItemRef, note: string): Promise<void> {
      const key = keys.notes(batch);
      if (note === '') {
        await redis.hdel(key, id);
        return;
      }
      if ((await redis.hlen(key)) >= MOST_NOTES) return;
      await redis.hset(key, id, note);
      await redis.expire(key, KEPT_FOR_S);
    },
    /** By the item; at most about 1,000. */
    async notes(batch: string): Promise<Map<string, string>> {
      return new Map(Object.entries(await redis.hgetall(keys.notes(batch))));
    },
  };
}
