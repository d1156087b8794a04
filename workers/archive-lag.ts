import type { BatchCounts } from '../src/batch/counts.ts';
import { FEWEST_WAITING, isBehind } from '../src/diagnosis/archive-lag.ts';
import { redisArchiveLag } from '../src/fleet/archive-lag.ts';
import { firstDeadline } from '../src/queue/backlog.ts';
import type { Connections } from '../src/wiring/connections.ts';

const PACE_WITHIN_MS = 60_000;

type Ports = Pick<Connections, 'state' | 'queues' | 'archive' | 'clock' | 'redis' | 'keys' | 'log'>;

/**
 * Keeps this process from submitting while more finished images wait than can be archived before the first of them dies: each submit
 * would be paid for an image that may be lost.
 */
export function watchArchiveLag({ state, queues, archive, clock, redis, keys, log }: Ports) {
  const lag = redisArchiveLag(redis, keys);
  let behind = false;

  async function find(batches: readonly BatchCounts[]): Promise<{ waiting: number; diesAt: number } | undefined> {
    const finished = batches.filter(({ items }) => items.finished > 0);
    const waiting = finished.reduce((sum, { items }) => sum + items.finished, 0);
    if (waiting < FEWEST_WAITING) return undefined;
    const now = clock.now();
    const diesAt = await firstDeadline(queues, now);
    if (diesAt === undefined) return undefined;
    const paces = await Promise.all(batches.map(({ batch }) => state.landedWithin(batch, PACE_WITHIN_MS, now)));
    const landed = paces.reduce((sum, { count }) => sum + count, 0);
    const landedMs = Math.max(...paces.map(({ firstMs }) => firstMs));
    return isBehind({ waiting, landed, landedMs, diesInMs: diesAt - now }) ? { waiting, diesAt } : undefined;
  }

  return {
    isBehind: () => behind,
    /** Called every few seconds. `batches`: those of our archive and API that have not ended. */
    async look(batches: readonly BatchCounts[]): Promise<void> {
      const found = await find(batches);
      if (found) await lag.note(archive.url, { ...found, since: clock.now() });
      else if (behind) await lag.over(archive.url);
      if (behind !== (found !== undefined))
        log.info({ behind: found !== undefined, ...found }, 'submits wait for the archive');
      behind = found !== undefined;
    },
  };
}
export type ArchiveLagWatch = ReturnType<typeof watchArchiveLag>;
