import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { isItemsFileLost, type Member, readMember } from '../src/archive/items-member.ts';
import { type BatchCounts, isOnRoute } from '../src/batch/counts.ts';
import { feedBatch, roomFor } from '../src/batch/feed.ts';
import { type FeedSeveralPorts, openFeedingByWay } from '../src/batch/feed-several.ts';
import { waitingByWay } from '../src/batch/waiting-by-way.ts';
import { redisLease } from '../src/fleet/lease.ts';
import type { NewItem } from '../src/items/item.ts';
import type { Connections } from '../src/wiring/connections.ts';

/** Half of the window lasts far longer at the rates that providers permit. */
const EVERY_MS = 500;
/** What was fed may have been used up already, with a small window. */
const AGAIN_MS = 50;
/** Another process takes over after so long. */
const LEAD_MS = 5_000;
/** Windows of items that are not packed. */
const UNPACKED = 3;
/** Of some thousand items each: batches take turns. */
const MEMBERS_KEPT = 4;

type Ports = Pick<Connections, 'state' | 'queues' | 'archive' | 'clock' | 'redis' | 'keys' | 'routes' | 'log'>;

/**
 * Fills the queue from the items files of batches that are larger than the window, as it empties. One process does it at a time for an
 * archive; one that dies is followed by any other, and what it had begun is completed.
 */
export function startFeeder(connections: Ports): { stop(): Promise<void> } {
  const { state, redis, keys, archive, routes, log } = connections;
  const lease = redisLease(redis, keys.feeder(archive.url));
  const ports = portsOf(connections);
  const byWay = openFeedingByWay(ports);
  const stopping = new AbortController();
  /** Batches whose items file was lost when this process fed them last: told once in its log. */
  const lost = new Set<string>();

  /** Whether anything was fed. */
  async function feed(): Promise<boolean> {
    let sum = 0;
    const names = await state.feeds.batches();
    byWay.keep(names);
    if (names.length === 0 || !(await lease.take(LEAD_MS))) return false;
    for (const batch of names) {
      const counts = await state.counts(batch);
      if (stopping.signal.aborted || !counts || !isOnRoute(counts, routes.route)) continue;
      if (!(await lease.take(LEAD_MS))) return false;
      sum += await feedTold(counts);
    }
    return sum > 0;
  }

  /** What cannot be fed is told once, and then by everything that shows the batch. */
  async function feedTold(counts: BatchCounts): Promise<number> {
    const { batch, unfed, orphans, fullVersion } = counts;
    try {
      // While a batch runs only what is beyond some windows of it: a page, or a late callback, asks for what ended last.
      if (counts.items.archived > counts.window && (await state.packed.unpacked(batch)) > UNPACKED * counts.window)
        await state.packed.pack(batch);
      const goesOneWay = fullVersion === undefined;
      const fed = goesOneWay ? (await feedBatch(batch, roomFor(counts), ports)).count : await byWay.feed(counts);
      if (fed > 0) lost.delete(batch);
      // Another process may have told it.
      if (fed > 0 && orphans > 0) await state.noteUnfedLost(batch, 0);
      return fed;
    } catch (error) {
      if (!lost.has(batch)) log.error({ batch, err: error }, 'cannot be fed');
      if (isItemsFileLost(error)) {
        lost.add(batch);
        await state.noteUnfedLost(batch, unfed);
      }
      return 0;
    }
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const hasFed = await feed().catch((error: unknown) => {
        log.warn({ err: error }, 'feeding failed');
        return false;
      });
      await sleep(hasFed ? AGAIN_MS : EVERY_MS, undefined, { signal: stopping.signal, ref: false }).catch(() => {});
    }
  }

  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

function portsOf({ state, queues, archive, clock }: Ports): FeedSeveralPorts {
  const members = new LRUCache<string, NewItem[]>({ max: MEMBERS_KEPT });
  return {
    now: clock.now,
    feeds: state.feeds,
    states: state.intake.states,
    submitAll: queues.submitAll,
    waiting: (batch) => waitingByWay(batch, { state, queues }),
    async read(batch: string, name: string, member: Member) {
      const key = `${batch} ${name} ${member.from}`;
      const items = members.get(key) ?? (await readMember(archive, batch, name, member));
      members.set(key, items);
      return items;
    },
  };
}
