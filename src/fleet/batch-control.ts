import type { Queues } from '../queue/queues.ts';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisBatchState } from './batch-state.ts';

/**
 * A worker that saw the pause may park its job after the resume has looked for parked jobs. So they are looked for again, for this
 * long. A worker that needs longer has lost the job's lock and cannot park it any more.
 */
const UNPARK_FOR_MS = 60_000;
const MEND_EVERY_MS = 5_000;

/** A person's word holds for any batch, whichever archive and API it belongs to. */
export type QueuesOfRoutes = { of(batch: string): Promise<Queues>; all(): Promise<Queues[]> };

/** Promotes the parked jobs of batches, each in the queues of its route. */
async function unparkJobs(batches: ReadonlySet<string>, routes: QueuesOfRoutes): Promise<void> {
  const byQueues = new Map<Queues, Set<string>>();
  for (const batch of batches) {
    const queues = await routes.of(batch);
    byQueues.set(queues, (byQueues.get(queues) ?? new Set()).add(batch));
  }
  for (const [queues, own] of byQueues) await queues.unpark((batch) => own.has(batch));
}

/**
 * What a person says of batches. Each command is one write that holds from then on for every worker: the admission check and
 * `confirm` read it. What follows may be repeated, and `mend` completes what a killed command left undone.
 */
export function redisBatchControl(redis: RedisClient, keys: Keys, routes: QueuesOfRoutes, state: RedisBatchState) {
  const fleetPausedAt = async (): Promise<number | undefined> => {
    const since = await redis.get(keys.fleetPause);
    return since === null ? undefined : Number(since);
  };

  async function batchesNotPaused(): Promise<Set<string>> {
    const all = await Promise.all((await state.batches()).map((batch) => state.counts(batch)));
    return new Set(all.flatMap((counts) => (counts && counts.pausedAt === undefined ? [counts.batch] : [])));
  }

  async function unparkOf(batches: ReadonlySet<string>): Promise<void> {
    if (batches.size === 0) return;
    const now = Date.now();
    await redis.zadd(keys.resumed, ...[...batches].flatMap((batch) => [now, batch]));
    await unparkJobs(batches, routes);
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
      await unparkOf(await batchesNotPaused());
    },
    /** Nothing more of it is submitted; what runs goes on to its end. Returns how many items it cancelled. */
    async cancel(batch: string): Promise<number> {
      await redis.hset(keys.batch(batch), { cancelled: Date.now(), sealed: '1' });
      await redis.hdel(keys.batch(batch), 'paused');
      const cancelled = await state.cancelQueued(batch);
      // Their jobs find that there is nothing to do, and go.
      await unparkOf(new Set([batch]));
      return cancelled;
    },
    /** What keeps its items parked may be over: their jobs run again. */
    unpark: (batch: string) => unparkOf(new Set([batch])),
    /** Some of its items are to be made after all. Items that were cancelled stay cancelled. */
    async uncancel(batch: string): Promise<void> {
      if ((await redis.hexists(keys.batch(batch), 'cancelled')) === 0) return;
      await state.cancelQueued(batch);
      await redis.hdel(keys.batch(batch), 'cancelled');
    },

    /** Any number of processes may call it as often as they like. */
    async mend(): Promise<void> {
      if ((await redis.set(`${keys.resumed}:turn`, '1', 'PX', MEND_EVERY_MS, 'NX')) !== 'OK') return;
      for (const batch of await state.batches()) {
        const counts = await state.counts(batch);
        if (counts?.cancelledAt !== undefined && counts.items.queued > 0) await state.cancelQueued(batch);
      }
      await redis.zremrangebyscore(keys.resumed, '-inf', `${Date.now() - UNPARK_FOR_MS}`);
      const resumed = new Set(await redis.zrange(keys.resumed, '0', '-1'));
      if (resumed.size === 0 || (await fleetPausedAt()) !== undefined) return;
      const open = await batchesNotPaused();
      await unparkJobs(new Set([...resumed].filter((batch) => open.has(batch))), routes);
    },
  };
}
export type RedisBatchControl = ReturnType<typeof redisBatchControl>;
