import { z } from 'zod';
import type { BatchCounts } from '../batch/counts.ts';
import type { ItemState } from '../items/item-state.ts';
import type { Unreadable } from '../items/unreadable.ts';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import type { ItemRef } from '../stages/ports.ts';
import { hashesOf, type OnEnded, pagesOf, pairsOf, parseState, readCounts } from './batch-hash.ts';
import { redisBatchIntake } from './batch-intake.ts';
import { redisBatchTransitions } from './batch-transitions.ts';
import { redisBreaker } from './breaker.ts';
import { defineScript } from './script.ts';

const MOST_UNREADABLE = 1_000;
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
      const [hash, former] = await Promise.all([redis.hgetall(keys.batch(batch)), redis.scard(keys.former(batch))]);
      return hash.created === undefined ? undefined : readCounts(batch, hash, former);
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
    /** The items that the manifest does not have any more, by where they stand. */
    async former(batch: string): Promise<Map<string, ItemState>> {
      const ids = await redis.smembers(keys.former(batch));
      if (ids.length === 0) return new Map();
      const states = (await redis.hmget(keys.items(batch), ...ids)).map(parseState);
      return new Map(ids.flatMap((id, index) => (states[index] === undefined ? [] : [[id, states[index]]])));
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
    /** Notes which version of the batch the index in the archive shows, and which records it could not read. */
    async noteFinished(batch: string, version: number, unreadable: readonly Unreadable[] = []): Promise<void> {
      const told = unreadable.slice(0, MOST_UNREADABLE).flatMap(({ id, message }) => [id, message]);
      await redis.del(keys.unreadable(batch));
      if (told.length > 0) await redis.hset(keys.unreadable(batch), ...told);
      await redis.hset(keys.batch(batch), {
        unreadable: String(unreadable.length),
        finishedVersion: String(version),
      });
    },
    /** The records that the index could not read when it was written last: why, by the item. At most 1,000. */
    async unreadable(batch: string): Promise<Map<string, string>> {
      return new Map(Object.entries(await redis.hgetall(keys.unreadable(batch))));
    },
    /** Of the manifest that was enqueued last. */
    async manifestDigest(batch: string): Promise<string> {
      return (await redis.hget(keys.batch(batch), 'digest')) ?? '';
    },
  };
}
export type RedisBatchState = ReturnType<typeof redisBatchState>;
