import { z } from 'zod';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import { hashesOf, keysToSet, pagesOf } from './batch-hash.ts';
import { defineScript } from './script.ts';

/** So many are packed within about a millisecond. */
const AT_ONCE = 100;
const BUCKETS_AT_ONCE = 50;

/** Archived items take ten bytes where they are packed, and two hundred where they are not: see fleet/lua/include/ended.lua. */
export function redisPackedItems(redis: RedisClient, keys: Keys) {
  const pack = defineScript(redis, 'batch-pack');
  const walk = defineScript(redis, 'batch-walk-packed');

  async function goThrough(batch: string, todo: 'unsee' | 'forget'): Promise<void> {
    const all = [...hashesOf(keys, batch), keys.seen(batch)];
    for (let from = 0; from >= 0; ) from = z.int().parse(await walk(all, [from, BUCKETS_AT_ONCE, todo]));
  }

  return {
    /** Packs what is archived by now; nothing while a manifest is being enqueued. Returns how many items. */
    async pack(batch: string): Promise<number> {
      let sum = 0;
      if ((await redis.hlen(keys.items(batch))) === 0) return sum;
      const all = keysToSet(keys, batch, keys.former(batch), keys.charges(batch));
      for await (const page of pagesOf(redis, keys, batch)) {
        const ids = page.flatMap(([id, state]) => (state === 'archived' ? [id] : []));
        for (let from = 0; from < ids.length; from += AT_ONCE)
          sum += z.int().parse(await pack(all, ids.slice(from, from + AT_ONCE)));
      }
      return sum;
    },
    /** How many have a state of their own, and are not packed. */
    async unpacked(batch: string): Promise<number> {
      return redis.hlen(keys.items(batch));
    },
    /** A manifest begins to be enqueued: it has none of them so far. */
    unsee: (batch: string): Promise<void> => goThrough(batch, 'unsee'),
    /** The manifest is in: what it does not have is forgotten. */
    forgetUnseen: (batch: string): Promise<void> => goThrough(batch, 'forget'),
  };
}
