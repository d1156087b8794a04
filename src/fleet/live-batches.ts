import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import { keysToSet } from './batch-hash.ts';
import { redisLease } from './lease.ts';
import { defineScript } from './script.ts';
import { taskKeys } from './task-claims.ts';

const LOOK_EVERY_MS = 3_600_000;
const LOOK_WITHIN_MS = 60_000;
const PAGE = 1_000;

/** The batches that somebody has to look at now and then: there may be thousands besides that have ended. */
export function redisLiveBatches(redis: RedisClient, keys: Keys) {
  const leave = defineScript(redis, 'batch-leave');
  const erase = defineScript(redis, 'batch-erase');
  const lease = redisLease(redis, `${keys.liveLook}:turn`);

  /** Workers of a version without this set make batches live and do not say so. */
  async function putAllIn(): Promise<void> {
    if ((await redis.exists(keys.liveLook)) === 1 || !(await lease.take(LOOK_WITHIN_MS))) return;
    const all = await redis.zrange(keys.batches, '0', '-1');
    for (let from = 0; from < all.length; from += PAGE) await redis.sadd(keys.live, ...all.slice(from, from + PAGE));
    await redis.set(keys.liveLook, '1', 'PX', LOOK_EVERY_MS);
  }

  return {
    /** Each that has not ended, and perhaps some that have: see `leaveLive`. */
    async liveBatches(): Promise<string[]> {
      await putAllIn();
      return redis.smembers(keys.live);
    },
    /** Those that were created before this time, epoch milliseconds; the oldest first. */
    async batchesBefore(before: number): Promise<string[]> {
      return redis.zrangebyscore(keys.batches, '-inf', before);
    },
    /** Removes all keys of a batch that has ended and whose index is written. False for any other. */
    async erase(batch: string): Promise<boolean> {
      const its = [
        keys.seen,
        keys.former,
        keys.unreadable,
        keys.missing,
        keys.recentlyArchived,
        keys.recentlyTroubled,
        keys.charges,
        keys.overBudget,
        keys.notes,
        keys.feeds,
        keys.feedHold,
      ];
      // Of a batch that was cancelled; what is still to be fed keeps it from ending.
      const left = (await redis.hkeys(keys.feeds(batch))).filter((field) => !field.includes(':'));
      const unfed = left.map((feed) => keys.unfed(batch, feed));
      const others = [...its.map((keyOf) => keyOf(batch)), ...taskKeys(keys, batch)];
      const all = [keys.batches, keys.resumed, ...others, ...unfed];
      return (await erase(keysToSet(keys, batch, ...all), [])) === 1;
    },
    /** Nobody looks at it any more, if it has ended and its index is written. */
    async leaveLive(batch: string): Promise<void> {
      await leave(keysToSet(keys, batch), []);
    },
  };
}
