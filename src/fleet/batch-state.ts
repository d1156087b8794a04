import { z } from 'zod';
import type { BatchCounts } from '../batch/counts.ts';
import { type ItemState, isLive } from '../items/item-state.ts';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import type { ItemRef } from '../stages/ports.ts';
import { hashesOf, type OnEnded, pagesOf, pairsOf, parseState, readCounts } from './batch-hash.ts';
import { redisBatchIntake } from './batch-intake.ts';
import { redisBatchTransitions } from './batch-transitions.ts';
import { redisBreaker } from './breaker.ts';
import { defineScript } from './script.ts';

const cancelled = z.tuple([z.number(), z.number()]);

/** Every batch's hashes in Redis: what stages do to an item, how manifests are taken in, and what is asked about a batch. */
export function redisBatchState(redis: RedisClient, keys: Keys, onEnded: OnEnded) {
  const cancel = defineScript(redis, 'batch-cancel');
  return {
    ...redisBatchTransitions(redis, keys, onEnded),
    ...redisBreaker(redis, keys),
    intake: redisBatchIntake(redis, keys, onEnded),

    async stateOf(item: ItemRef): Promise<ItemState | undefined> {
      return parseState(await redis.hget(keys.items(item.batch), item.id));
    },
    /** Undefined when Redis knows nothing of the batch. */
    async counts(batch: string): Promise<BatchCounts | undefined> {
      const hash = await redis.hgetall(keys.batch(batch));
      return hash.created === undefined ? undefined : readCounts(batch, hash);
    },
    async batches(): Promise<string[]> {
      return redis.zrange(keys.batches, '0', '-1');
    },
    /** Ids of the items in any of these states, in no order; an item that moves meanwhile may be missed or doubled. */
    async *itemsIn(batch: string, states: readonly ItemState[]): AsyncGenerator<string> {
      for await (const page of pagesOf(redis, keys, batch)) {
        for (const [id, state] of page) if (states.includes(state)) yield id;
      }
    },
    /** The live items, in pages; as inexact as `itemsIn`. */
    async *livePages(batch: string): AsyncGenerator<[id: string, state: ItemState][]> {
      for await (const page of pagesOf(redis, keys, batch)) {
        const live = page.filter(([, state]) => isLive(state));
        if (live.length > 0) yield live;
      }
    },
    /** So many of its live items have neither a job nor a record that says what job: their manifest is to be enqueued again. */
    async noteOrphans(batch: string, count: number): Promise<void> {
      if (count === 0) await redis.hdel(keys.batch(batch), 'orphans');
      else await redis.hset(keys.batch(batch), { orphans: count });
    },
    /** The newest first; at most 600 are remembered. Times are epoch milliseconds. */
    async recentlyArchived(batch: string, most: number): Promise<{ id: string; at: number }[]> {
      const flat = await redis.zrevrange(keys.recentlyArchived(batch), 0, most - 1, 'WITHSCORES');
      return pairsOf(flat).map(([id, seconds]) => ({ id, at: Number(seconds) * 1_000 }));
    },
    /** How many items were archived in so much time, at most 600. */
    archivedWithin(batch: string, ms: number): Promise<number> {
      return redis.zcount(keys.recentlyArchived(batch), (Date.now() - ms) / 1_000, '+inf');
    },
    /** Cancels what is queued; what is being submitted just now finds out by itself. Returns how many. */
    async cancelQueued(batch: string): Promise<number> {
      let sum = 0;
      for await (const page of pagesOf(redis, keys, batch)) {
        const ids = page.flatMap(([id, state]) => (state === 'queued' ? [id] : []));
        if (ids.length === 0) continue;
        const [count, ended] = cancelled.parse(await cancel(hashesOf(keys, batch), ids));
        sum += count;
        if (ended === 1) await onEnded(batch);
      }
      return sum;
    },
    /** Notes which version of the batch the index in the archive shows. */
    async noteFinished(batch: string, version: number): Promise<void> {
      await redis.hset(keys.batch(batch), { finishedVersion: String(version) });
    },
  };
}
export type RedisBatchState = ReturnType<typeof redisBatchState>;
