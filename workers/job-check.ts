import type { BatchCounts } from '../src/batch/counts.ts';
import { type Orphan, restoreJobs } from '../src/batch/restore-jobs.ts';
import { redisLease } from '../src/fleet/lease.ts';
import { redisPutBack } from '../src/fleet/torn-jobs.ts';
import { LIVE_STATES } from '../src/items/item-state.ts';
import type { Metrics } from '../src/metrics/definitions.ts';
import { countJobs, type Jobless, joblessFinder, mendTorn } from '../src/queue/jobless.ts';
import { jobIdOf } from '../src/queue/queues.ts';
import type { Connections } from '../src/wiring/connections.ts';

/** Longer than an item is live before it gets its job: it is admitted first, and the job of its former end may have to go. */
export const JOB_CHECK_MS = 20_000;
/** As a rule jobs that are short are only under way: before the items are looked through, they are counted again after this part of it. */
const COUNTED_AGAIN = 1 / 5;
/** What is found without a job in one look; the rest is found in the next. */
const MOST_SUSPECTS = 10_000;
/** A look through all live items that helped nobody is not repeated at every turn. */
const LONGEST_PAUSE = 32;

type Ports = Pick<
  Connections,
  'state' | 'queues' | 'records' | 'archive' | 'config' | 'clock' | 'redis' | 'keys' | 'log'
>;

type Suspect = Orphan & Jobless;
type Find = ReturnType<typeof joblessFinder>;

/**
 * Finds live items that have no job, which nobody would ever move on, and gives them one. Such an item is left by a job that was
 * added while its former one was just ending, by a Redis that lost some of its keys, by a bug; or its job is torn: the queue has its
 * data, and no list has it, since Redis refused a command in the middle of a script. One process does it at a time for an
 * archive. As long as there are as many jobs as live items, only the two are counted. Where jobs are short in two looks, the items
 * are looked through; one that has no job in two such looks gets one.
 */
export function jobCheck(connections: Ports, metrics: Pick<Metrics, 'count'>, everyMs = JOB_CHECK_MS) {
  const { state, archive, redis, keys } = connections;
  const lease = redisLease(redis, keys.jobCheck(archive.url));
  let lookedAt = Number.NEGATIVE_INFINITY;
  let dueInMs = 0;
  let wasShort = false;
  const help = helpOf(connections, metrics);
  let suspects = new Map<string, Suspect>();
  let pause = 0;
  let turnsToWait = 0;

  async function look(batches: readonly BatchCounts[]): Promise<void> {
    const ours = batches.filter((counts) => counts.archive === archive.url && counts.sealed && liveOf(counts) > 0);
    const items = batches.reduce((sum, counts) => sum + liveOf(counts), 0);
    if (items === 0 || items <= (await countJobs(itemQueuesOf(connections)))) {
      wasShort = false;
      suspects = new Map();
      pause = 0;
      for (const { batch, orphans } of ours) if (orphans > 0) await state.noteOrphans(batch, 0);
      return;
    }
    if (!wasShort) {
      wasShort = true;
      return;
    }
    if (turnsToWait > 0) {
      turnsToWait -= 1;
      return;
    }
    const found = new Map<string, Suspect>();
    const find = joblessFinder(redis, itemQueuesOf(connections));
    let helped = 0;
    for (const { batch } of ours) {
      const confirmed: Suspect[] = [];
      for await (const suspect of withoutJob(batch, find, connections)) {
        if (suspects.get(jobIdOf(suspect))?.state === suspect.state) confirmed.push(suspect);
        found.set(jobIdOf(suspect), suspect);
        if (found.size >= MOST_SUSPECTS) break;
      }
      helped += await help(batch, confirmed);
    }
    const isNews = helped > 0 || [...found.keys()].some((id) => !suspects.has(id));
    suspects = found;
    pause = isNews ? 0 : Math.min(LONGEST_PAUSE, Math.max(1, pause * 2));
    turnsToWait = pause;
  }

  return {
    /** Called as often as one likes. `batches`: all that Redis knows, as they are now. */
    async run(batches: readonly BatchCounts[]): Promise<void> {
      if (performance.now() - lookedAt < dueInMs) return;
      lookedAt = performance.now();
      const wereShort = wasShort;
      if (await lease.take(everyMs * 3)) await look(batches);
      dueInMs = wasShort && !wereShort ? everyMs * COUNTED_AGAIN : everyMs;
    },
  };
}

/** Gives these items their jobs, and returns how many were helped. */
function helpOf(connections: Ports, metrics: Pick<Metrics, 'count'>) {
  const { state, redis, log } = connections;
  const putBack = redisPutBack(redis);

  return async (batch: string, confirmed: readonly Suspect[]): Promise<number> => {
    for (const suspect of confirmed) for (const queue of suspect.torn) await mendTorn(queue, jobIdOf(suspect), putBack);
    const gone = confirmed.filter(({ torn }) => torn.length === 0);
    const left = await restoreJobs(gone, connections);
    await state.noteOrphans(batch, left.length);
    if (left.length > 0)
      log.error({ batch, items: left.length, item: left[0]?.id }, 'without job and record: enqueue the manifest again');
    const leftIds = new Set(left.map(({ id }) => id));
    const helped = confirmed.filter(({ id }) => !leftIds.has(id));
    for (const { id, state: was } of helped) {
      metrics.count('jobsRestored');
      log.warn({ batch, item: id, was }, 'had no job; it has one again, or its end');
    }
    return helped.length;
  };
}

const itemQueuesOf = ({ queues }: Ports) => [...queues.of('submit'), ...queues.of('poll'), ...queues.of('archive')];

/** Live items of a batch that have no job just now. */
async function* withoutJob(batch: string, find: Find, { state }: Ports): AsyncGenerator<Suspect> {
  for await (const page of state.livePages(batch)) {
    const orphans = page.map(([id, state]) => ({ batch, id, state }));
    const missing = await find(orphans.map(jobIdOf));
    for (const orphan of orphans) {
      const jobless = missing.get(jobIdOf(orphan));
      if (jobless) yield { ...orphan, ...jobless };
    }
  }
}

/** But for those that no job is for yet. */
function liveOf({ items, unfed }: BatchCounts): number {
  return LIVE_STATES.reduce((sum, name) => sum + items[name], 0) - unfed;
}
