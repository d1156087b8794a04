import type { RedisFeeds } from '../fleet/feeds.ts';
import type { WaitingByWay } from '../items/submit-way.ts';
import type { BatchCounts } from './counts.ts';
import { type FeedPorts, feedBatch } from './feed.ts';
import { roomOfWays, wayChooser } from './feed-ways.ts';

export type FeedSeveralPorts = FeedPorts & {
  feeds: Pick<RedisFeeds, 'noteFull'>;
  waiting(batch: string): Promise<WaitingByWay>;
};

/**
 * A batch that had nothing to be fed is looked at again after so long, or sooner: after a millisecond for each item of its window, since a
 * small one is counted quickly and soon used up.
 */
const LONGEST_REST_MS = 2_000;

/** `usedUp`: see `wayChooser`. `restsUntil`: by the process's own clock. */
type Known = { usedUp: Set<string>; restsUntil: number };

/**
 * Feeds batches whose items go several ways: each way has a window of its own, so that items which wait for a closed account, or for its
 * budget, keep no others from being fed.
 */
export function openFeedingByWay(ports: FeedSeveralPorts) {
  const known = new Map<string, Known>();

  return {
    async feed({ batch, unfed, window, version, pausedAt, cancelledAt }: BatchCounts): Promise<number> {
      const { usedUp, restsUntil } = known.get(batch) ?? { usedUp: new Set(), restsUntil: 0 };
      const isStopped = unfed === 0 || pausedAt !== undefined || cancelledAt !== undefined;
      if (isStopped || performance.now() < restsUntil) return (await feedBatch(batch, 0, ports)).count;
      const room = roomOfWays(await ports.waiting(batch), window);
      const most = Object.values(room).reduce((sum, one) => sum + one, 0);
      const { count, isRefused } = await feedBatch(batch, most, ports, wayChooser(room, usedUp));
      if (count === 0 && !isRefused) await ports.feeds.noteFull(batch, version);
      const restMs = count === 0 ? Math.min(LONGEST_REST_MS, window) : 0;
      known.set(batch, { usedUp, restsUntil: performance.now() + restMs });
      return count;
    },
    /** Only these batches have anything to feed. */
    keep(batches: readonly string[]): void {
      for (const batch of known.keys()) if (!batches.includes(batch)) known.delete(batch);
    },
  };
}
