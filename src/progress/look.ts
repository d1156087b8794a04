import { setTimeout as sleep } from 'node:timers/promises';
import type { Snapshot } from '../diagnosis/snapshot.ts';
import { messageOf } from '../errors.ts';
import { isDenied, isRedisAway } from '../redis/away.ts';
import { redisAway as refusing } from '../redis/refusals.ts';
import { openSnapshots, type SnapshotConnections } from '../status/snapshot.ts';

/** A Redis that has not answered for so long is away. */
const PATIENCE_MS = 2_000;
/** It reads hundreds of jobs. */
const JOBS_EVERY_MS = 5_000;

/** While Redis is away, the snapshot is what was seen last; undefined when nothing was seen yet. */
export type Look = { snapshot: Snapshot | undefined; redisAway: Snapshot['redisAway'] };

/**
 * Looks at a batch; a snapshot without batches when Redis does not know it. A patient connection waits for a lost Redis without end,
 * so this does not: then it says since when.
 */
export function openLooks(batch: string, connections: SnapshotConnections) {
  const { redis } = connections;
  const read = openSnapshots(connections, { jobsEveryMs: JOBS_EVERY_MS });
  let pending: Promise<Snapshot> | undefined;
  let last: Snapshot | undefined;
  let awaySince: number | undefined;

  const away = (message: string): Look => {
    const at = connections.clock.now();
    const since = at - (performance.now() - (awaySince ?? performance.now()));
    const redisAway = { message, since };
    return { snapshot: last && { ...last, at, redisAway }, redisAway };
  };

  return async (): Promise<Look> => {
    if (!pending) {
      awaySince ??= performance.now();
      pending = read([batch]);
      // It may fail while nobody looks; the next look meets that.
      pending.catch(() => {});
    }
    const patience = new AbortController();
    try {
      const late = sleep(PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => undefined);
      const seen = await Promise.race([pending, late]);
      if (!seen) return away(refusing(redis)?.message ?? 'it does not answer');
      pending = undefined;
      awaySince = undefined;
      last = seen;
      // It answers to who reads, and refuses what workers write.
      const refused = refusing(redis);
      if (!refused) return { snapshot: seen, redisAway: null };
      const redisAway = { message: refused.message, since: seen.at - (performance.now() - refused.since) };
      return { snapshot: { ...seen, redisAway }, redisAway };
    } catch (error) {
      pending = undefined;
      // A right that was there is waited for, as the workers do. One that never was is a mistake of the set-up.
      if (isRedisAway(error) || (last && isDenied(error))) return away(messageOf(error));
      throw error;
    } finally {
      patience.abort();
    }
  };
}
