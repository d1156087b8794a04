import { z } from 'zod';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import { keysToSet, type OnEnded, pagesOf } from './batch-hash.ts';
import { redisBatchIntake } from './batch-intake.ts';
import { redisBatchQueries } from './batch-queries.ts';
import { redisBatchTransitions } from './batch-transitions.ts';
import { redisBreaker } from './breaker.ts';
import { redisFeeds } from './feeds.ts';
import { redisImageNotes } from './image-notes.ts';
import { redisLiveBatches } from './live-batches.ts';
import { redisPackedItems } from './packed-items.ts';
import { defineScript } from './script.ts';
import { redisStanding } from './standing.ts';
import { redisTaskClaims } from './task-claims.ts';

/** Records that cannot be read, and images that are not there. */
export type Damage = {
  unreadable: readonly { id: string; message: string }[];
  missing: readonly { id: string; key: string }[];
};
const NO_DAMAGE: Damage = { unreadable: [], missing: [] };
const MOST_UNREADABLE = 1_000;
/** What was archived last is no news a day after the batch's end. */
const RECENT_FOR_S = 86_400;
const cancelled = z.tuple([z.number(), z.number()]);

/** Every batch's hashes in Redis: what stages do to an item, how manifests are taken in, and what is asked about a batch. */
export function redisBatchState(redis: RedisClient, keys: Keys, onEnded: OnEnded) {
  const cancel = defineScript(redis, 'batch-cancel');
  const feeds = redisFeeds(redis, keys, onEnded);
  return {
    ...redisBatchTransitions(redis, keys, onEnded),
    ...redisBreaker(redis, keys),
    ...redisBatchQueries(redis, keys),
    ...redisImageNotes(redis, keys),
    ...redisTaskClaims(redis, keys),
    ...redisLiveBatches(redis, keys),
    ...redisStanding(redis, keys),
    packed: redisPackedItems(redis, keys),
    intake: redisBatchIntake(redis, keys, onEnded),
    feeds,

    /** So many of its items cannot be fed, since their items file is lost; 0: they can. */
    async noteUnfedLost(batch: string, count: number): Promise<void> {
      if (count === 0) await redis.hdel(keys.batch(batch), 'unfedLost');
      else await redis.hset(keys.batch(batch), { unfedLost: count });
    },
    /** So many of its live items have neither a job nor a record that says what job: their manifest is to be enqueued again. */
    async noteOrphans(batch: string, count: number): Promise<void> {
      if (count === 0) await redis.hdel(keys.batch(batch), 'orphans');
      else await redis.hset(keys.batch(batch), { orphans: count });
    },
    /** Cancels what is queued, fed or not; what is being submitted just now finds out by itself. Returns how many. */
    async cancelQueued(batch: string): Promise<number> {
      let sum = await feeds.drop(batch);
      for await (const page of pagesOf(redis, keys, batch)) {
        const ids = page.flatMap(([id, state]) => (state === 'queued' ? [id] : []));
        if (ids.length === 0) continue;
        const [count, ended] = cancelled.parse(await cancel(keysToSet(keys, batch), ids));
        sum += count;
        if (ended === 1) await onEnded(batch);
      }
      return sum;
    },
    /** Notes which version of the batch the index in the archive shows, and which records and images it was written without. */
    async noteFinished(batch: string, version: number, { unreadable, missing }: Damage = NO_DAMAGE): Promise<void> {
      const told = unreadable.slice(0, MOST_UNREADABLE).flatMap(({ id, message }) => [id, message]);
      const gone = missing.slice(0, MOST_UNREADABLE).flatMap(({ id, key }) => [id, key]);
      await redis.del(keys.unreadable(batch), keys.missing(batch));
      if (told.length > 0) await redis.hset(keys.unreadable(batch), ...told);
      if (gone.length > 0) await redis.hset(keys.missing(batch), ...gone);
      await redis.hset(keys.batch(batch), {
        unreadable: String(unreadable.length),
        missing: String(missing.length),
        finishedVersion: String(version),
      });
      await redis.expire(keys.recentlyArchived(batch), RECENT_FOR_S);
    },
  };
}
export type RedisBatchState = ReturnType<typeof redisBatchState>;
