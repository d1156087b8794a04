import type { BatchCounts } from '../batch/counts.ts';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisBatchState } from './batch-state.ts';
import { parkedItems, type QueuesOfRoutes } from './parked-items.ts';
import type { RedisSpending } from './spending.ts';

/**
 * A worker that saw the pause may park its job after the resume has looked for parked jobs. So they are looked for again, for this
 * long. A worker that needs longer has lost the job's lock and cannot park it any more.
 */
const UNPARK_FOR_MS = 60_000;
const MEND_EVERY_MS = 5_000;

/**
 * What a person says of batches. Each command is one write that holds from then on for every worker: the admission check and
 * `confirm` read it. What follows may be repeated, and `mend` completes what a killed command left undone.
 */
export function redisBatchControl(
  redis: RedisClient,
  keys: Keys,
  routes: QueuesOfRoutes,
  state: RedisBatchState,
  spending: Pick<RedisSpending, 'affordable'>,
) {
  const fleetPausedAt = async (): Promise<number | undefined> => {
    const since = await redis.get(keys.fleetPause);
    return since === null ? undefined : Number(since);
  };
  const { unparkJobs, wakeWithinBudget } = parkedItems(redis, keys, routes, spending);

  async function notPaused(batches: readonly string[]): Promise<Set<string>> {
    const all = await Promise.all(batches.map((batch) => state.counts(batch)));
    return new Set(all.flatMap((counts) => (counts && counts.pausedAt === undefined ? [counts.batch] : [])));
  }

  async function unparkOf(batches: ReadonlySet<string>): Promise<void> {
    if (batches.size === 0) return;
    const now = await serverTime(redis);
    await redis.zadd(keys.resumed, ...[...batches].flatMap((batch) => [now, batch]));
    await unparkJobs(batches);
  }

  return {
    fleetPausedAt,

    async pause(batch: string): Promise<void> {
      await redis.hsetnx(keys.batch(batch), 'paused', Date.now());
    },
    async resume(batch: string): Promise<void> {
      await redis.hdel(keys.batch(batch), 'paused');
      await unparkOf(new Set([batch]));
    },
    async pauseAll(): Promise<void> {
      await redis.setnx(keys.fleetPause, Date.now());
      for (const queues of await routes.all()) await queues.pauseSubmits();
    },
    /** Batches that were paused by their own name stay so. */
    async resumeAll(): Promise<void> {
      await redis.del(keys.fleetPause);
      for (const queues of await routes.all()) await queues.resumeSubmits();
      await unparkOf(await notPaused(await state.liveBatches()));
    },
    /** Nothing more of it is submitted; what runs goes on to its end. Returns how many items it cancelled. */
    async cancel(batch: string): Promise<number> {
      await redis.hset(keys.batch(batch), { cancelled: Date.now(), sealed: '1' });
      await redis.hdel(keys.batch(batch), 'paused');
      const cancelled = await state.cancelQueued(batch);
      await redis.del(keys.overBudget(batch));
      await redis.hset(keys.batch(batch), { beyond: 0, beyondCredits: 0 });
      // Their jobs find that there is nothing to do, and go.
      await unparkOf(new Set([batch]));
      return cancelled;
    },
    /** Of its items over budget, as many as there is room for by now run again. */
    wakeWithinBudget,
    /** Some of its items are to be made after all. Items that were cancelled stay cancelled. */
    async uncancel(batch: string): Promise<void> {
      if ((await redis.hexists(keys.batch(batch), 'cancelled')) === 0) return;
      await state.cancelQueued(batch);
      await redis.hdel(keys.batch(batch), 'cancelled');
    },

    /** Any number of processes may call it as often as they like. `live`: all batches that have not ended. */
    async mend(live: readonly BatchCounts[]): Promise<void> {
      if ((await redis.set(`${keys.resumed}:turn`, '1', 'PX', MEND_EVERY_MS, 'NX')) !== 'OK') return;
      for (const { batch, cancelledAt, items } of live) {
        if (cancelledAt !== undefined && items.queued > 0) await state.cancelQueued(batch);
      }
      await redis.zremrangebyscore(keys.resumed, '-inf', `${(await serverTime(redis)) - UNPARK_FOR_MS}`);
      if ((await fleetPausedAt()) !== undefined) return;
      for (const { batch, pausedAt, mayHaveRoom } of live) {
        if (mayHaveRoom && pausedAt === undefined) await wakeWithinBudget(batch);
      }
      const resumed = await redis.zrange(keys.resumed, '0', '-1');
      if (resumed.length > 0) await unparkJobs(await notPaused(resumed));
    },
  };
}
/** Epoch milliseconds by the clock of Redis, whole seconds. */
async function serverTime(redis: RedisClient): Promise<number> {
  return Number((await redis.time())[0]) * 1_000;
}
export type RedisBatchControl = ReturnType<typeof redisBatchControl>;
