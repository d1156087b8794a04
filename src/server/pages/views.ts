import type { BatchCounts } from '../../batch/counts.ts';
import type { Serving } from '../serving.ts';
import type { BatchView } from './batch.ts';
import { failureReader } from './failures.ts';
import type { Overview } from './overview.ts';
import { pictureReader } from './pictures.ts';

const MOST_BATCHES = 50;
const PACE_MS = 60_000;

/** Reads the data that the pages show. */
export function viewReader(serving: Serving) {
  const { connections, submitLimiter, prices } = serving;
  const { state, queues, config, archive } = connections;
  const failuresOf = failureReader(connections);
  const picturesOf = pictureReader(connections);
  const paceOf = async (counts: BatchCounts) => ({
    counts,
    perMinute: await state.archivedWithin(counts.batch, PACE_MS),
  });

  return {
    async overview(): Promise<Overview> {
      const names = (await state.batches()).reverse();
      const [counts, usage, depths, breaker] = await Promise.all([
        Promise.all(names.slice(0, MOST_BATCHES).map((name) => state.counts(name))),
        submitLimiter.usage(),
        queues.depths(),
        state.breaker(),
      ]);
      const batches = await Promise.all(counts.filter((one) => one !== undefined).map(paceOf));
      return {
        batches,
        older: Math.max(0, names.length - MOST_BATCHES),
        usage,
        rateLimit: config.rateLimit,
        running: sumOf(depths.poll),
        waitingToArchive: sumOf(depths.archive),
        breaker,
        now: Date.now(),
      };
    },
    /** Undefined if there is no such batch. */
    async batch(name: string): Promise<BatchView | undefined> {
      const counts = await state.counts(name);
      if (!counts) return undefined;
      const elsewhere = counts.archive === '' || counts.archive === archive.url ? undefined : counts.archive;
      const [{ perMinute }, { failures, unread }, pictures] = await Promise.all([
        paceOf(counts),
        elsewhere === undefined ? failuresOf(name) : { failures: [], unread: counts.items.failed + counts.items.held },
        elsewhere === undefined ? picturesOf(name, counts.items.archived) : [],
      ]);
      return {
        counts,
        perMinute,
        rateLimit: config.rateLimit,
        usdPerCredit: prices.usdPerCredit,
        failures,
        unread,
        pictures,
        elsewhere,
        now: Date.now(),
      };
    },
  };
}

/** The number of unfinished jobs. Our queues keep no finished ones. */
function sumOf({ waiting = 0, prioritized = 0, active = 0, delayed = 0, paused = 0 }: Record<string, number>): number {
  return waiting + prioritized + active + delayed + paused;
}
