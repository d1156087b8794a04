import { z } from 'zod';
import type { BatchIntake } from '../batch/enqueue-items.ts';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import { hashesOf, keysToSet, type OnEnded, pagesOf } from './batch-hash.ts';
import { redisItemStates } from './item-states.ts';
import { redisPackedItems } from './packed-items.ts';
import { defineScript } from './script.ts';

/** Takes manifests in. */
export function redisBatchIntake(redis: RedisClient, keys: Keys, onEnded: OnEnded): BatchIntake {
  const admit = defineScript(redis, 'batch-admit');
  const forget = defineScript(redis, 'batch-forget');
  const seal = defineScript(redis, 'batch-seal');
  const see = defineScript(redis, 'batch-see');
  const packed = redisPackedItems(redis, keys);
  return {
    async open(batch, facts) {
      await redis.zadd(keys.batches, 'NX', Date.now(), batch);
      await redis.sadd(keys.live, batch);
      await redis.hsetnx(keys.batch(batch), 'created', Date.now());
      await redis.hset(keys.batch(batch), { ...facts, sealed: '0' });
      // Who enqueues a cancelled batch again wants it made after all.
      // And all its items get their jobs.
      await redis.hdel(keys.batch(batch), 'cancelled', 'orphans', 'unfedLost', 'priority');
      await redis.del(keys.seen(batch));
      await redis.persist(keys.recentlyArchived(batch));
      await packed.unsee(batch);
      return (await redis.hlen(keys.items(batch))) === 0 && (await redis.exists(keys.ended(batch))) === 0;
    },
    states: redisItemStates(redis, keys).states,
    async admit(batch, entries) {
      if (entries.length === 0) return new Set();
      const admitted = await admit(
        keysToSet(keys, batch, keys.recentlyTroubled(batch)),
        entries.flatMap(({ id, was, to }) => [id, was ?? '', to]),
      );
      return new Set(z.array(z.string()).parse(admitted));
    },
    async see(batch, ids) {
      await see([...hashesOf(keys, batch), keys.seen(batch), keys.former(batch)], [...ids]);
    },
    async forgetUnseen(batch) {
      for await (const page of pagesOf(redis, keys, batch)) {
        await forget(
          [...hashesOf(keys, batch), keys.seen(batch), keys.former(batch)],
          page.map(([id]) => id),
        );
      }
      await packed.forgetUnseen(batch);
      await redis.del(keys.seen(batch));
    },
    async noteFormer(batch, ids) {
      if (ids.length > 0) await redis.sadd(keys.former(batch), ...ids);
    },
    async seal(batch) {
      if ((await seal(hashesOf(keys, batch), [])) === 1) await onEnded(batch);
    },
  };
}
