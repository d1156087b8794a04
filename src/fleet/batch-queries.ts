import type { BatchCounts } from '../batch/counts.ts';
import { type ItemState, isLive } from '../items/item-state.ts';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import type { ItemRef } from '../stages/ports.ts';
import { pagesOf, pairsOf, readCounts } from './batch-hash.ts';
import { redisItemStates } from './item-states.ts';

/** What is asked about a batch. Changes nothing. */
export function redisBatchQueries(redis: RedisClient, keys: Keys) {
  const { states } = redisItemStates(redis, keys);
  return {
    async stateOf(item: ItemRef): Promise<ItemState | undefined> {
      return (await states(item.batch, [item.id]))[0];
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
    /** The live items, in pages; as inexact as `itemsIn`. */
    async *livePages(batch: string): AsyncGenerator<[id: string, state: ItemState][]> {
      for await (const page of pagesOf(redis, keys, batch)) {
        const live = page.filter(([, state]) => isLive(state));
        if (live.length > 0) yield live;
      }
    },
    /** The items that the manifest does not have any more, by where they stand. */
    async former(batch: string): Promise<Map<string, ItemState>> {
      const ids = await redis.smembers(keys.former(batch));
      if (ids.length === 0) return new Map();
      const found = await states(batch, ids);
      return new Map(ids.flatMap((id, index) => (found[index] === undefined ? [] : [[id, found[index]]])));
    },
    /** The newest first; at most 600 are remembered. Times are epoch milliseconds. */
    async recentlyArchived(batch: string, most: number): Promise<{ id: string; at: number }[]> {
      const flat = await redis.zrevrange(keys.recentlyArchived(batch), 0, most - 1, 'WITHSCORES');
      return pairsOf(flat).map(([id, seconds]) => ({ id, at: Number(seconds) * 1_000 }));
    },
    /** Ids of the items that failed or were held last, the newest first; at most 500 are remembered. */
    recentlyTroubled(batch: string): Promise<string[]> {
      return redis.zrevrange(keys.recentlyTroubled(batch), 0, -1);
    },
    /** How many items were archived in so much time, at most 600. */
    archivedWithin(batch: string, ms: number): Promise<number> {
      return redis.zcount(keys.recentlyArchived(batch), (Date.now() - ms) / 1_000, '+inf');
    },
    /**
     * How many items were archived within so much time, at most 600, and how long ago the first of them was; `now` by the clock of
     * Redis. From then on the pace is a steady one: before it, nothing was there to be archived.
     */
    async landedWithin(batch: string, ms: number, now: number): Promise<{ count: number; firstMs: number }> {
      const key = keys.recentlyArchived(batch);
      const since = (now - ms) / 1_000;
      const [count, first] = await Promise.all([
        redis.zcount(key, since, '+inf'),
        redis.zrangebyscore(key, since, '+inf', 'WITHSCORES', 'LIMIT', 0, 1),
      ]);
      const at = pairsOf(first)[0]?.[1];
      return { count, firstMs: at === undefined ? 0 : Math.max(0, now - Number(at) * 1_000) };
    },
    /** The records that the index could not read when it was written last: why, by the item. At most 1,000. */
    async unreadable(batch: string): Promise<Map<string, string>> {
      return new Map(Object.entries(await redis.hgetall(keys.unreadable(batch))));
    },
    /** The images that were not in the archive when the index was written last: their keys, by the item. At most 1,000. */
    async missing(batch: string): Promise<Map<string, string>> {
      return new Map(Object.entries(await redis.hgetall(keys.missing(batch))));
    },
    /** Of the manifest that was enqueued last. */
    async manifestDigest(batch: string): Promise<string> {
      return (await redis.hget(keys.batch(batch), 'digest')) ?? '';
    },
  };
}
