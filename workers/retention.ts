import { hasEnded, isFinished, isOnRoute } from '../src/batch/counts.ts';
import { finishedAt } from '../src/batch/forget.ts';
import { redisLease } from '../src/fleet/lease.ts';
import type { Connections } from '../src/wiring/connections.ts';

const EVERY_MS = 3_600_000;

type Ports = Pick<Connections, 'state' | 'archive' | 'config' | 'clock' | 'redis' | 'keys' | 'routes' | 'log'>;

/**
 * Removes from Redis what ended long ago, by what the archive says; not where a person still has to decide on an item. One process
 * does it at a time for an archive, once an hour.
 */
export function retention(ports: Ports, everyMs = EVERY_MS): { run(): Promise<void> } {
  const { state, archive, config, clock, redis, keys, routes, log } = ports;
  const lease = redisLease(redis, keys.retention(archive.url));
  let lookedAt = Number.NEGATIVE_INFINITY;

  async function look(olderThanMs: number): Promise<void> {
    const before = clock.now() - olderThanMs;
    for (const batch of await state.batchesBefore(before)) {
      const counts = await state.counts(batch);
      if (!counts || !isOnRoute(counts, routes.route) || !hasEnded(counts) || !isFinished(counts)) continue;
      if (counts.items.held + counts.former > 0) continue;
      const endedAt = await finishedAt(ports, counts);
      if (endedAt === undefined || endedAt > before || !(await state.erase(batch))) continue;
      log.info({ batch, items: counts.total }, 'forgotten: it ended long ago, and the archive has it');
    }
  }

  return {
    /** Called as often as one likes. */
    async run(): Promise<void> {
      if (config.forgetAfterMs === undefined || performance.now() - lookedAt < everyMs) return;
      lookedAt = performance.now();
      if (await lease.take(everyMs)) await look(config.forgetAfterMs);
    },
  };
}
