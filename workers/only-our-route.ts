import { LRUCache } from 'lru-cache';
import { type BatchCounts, isOnRoute } from '../src/batch/counts.ts';
import { FluxError } from '../src/errors.ts';
import type { Item } from '../src/items/item.ts';
import type { Queues } from '../src/queue/queues.ts';
import type { Run, StageOutcome } from '../src/stages/ports.ts';
import type { Connections } from '../src/wiring/connections.ts';

export type RunStage<Data> = (data: Data, run: Run) => Promise<StageOutcome>;
export type Pass<Data> = (item: Data, queues: Queues) => Promise<void>;

const KNOWN_FOR_MS = 5_000;
const LEAVE_FOR_MS = 5_000;
const MOST_BATCHES = 1_000;

/**
 * A safety net: the jobs of another archive or API are in other queues than ours, but for those of a version without routes, and
 * where Redis was emptied under two routes. Run here, its images and records would land where nobody looks for them, and what is
 * recorded elsewhere would be paid for again. Such a job is passed on to its own queues. Where the batch names no API these are
 * not known: it is left alone.
 */
export function onlyOurRoute(
  { state, routes, clock }: Pick<Connections, 'state' | 'routes' | 'clock'>,
  onTrouble: (error: unknown) => void,
) {
  const known = new LRUCache<string, { counts: BatchCounts | undefined }>({
    max: MOST_BATCHES,
    ttl: KNOWN_FOR_MS,
    fetchMethod: async (batch) => ({ counts: await state.counts(batch) }),
  });

  return <Data extends Item>(runStage: RunStage<Data>, pass: Pass<Data>): RunStage<Data> =>
    async (item, run) => {
      const counts = (await known.fetch(item.batch))?.counts;
      if (!counts || isOnRoute(counts, routes.route)) return runStage(item, run);
      const queues = await routes.of(item.batch);
      if (counts.api !== '' && queues !== routes.own) {
        await pass(item, queues);
        return { kind: 'done' };
      }
      onTrouble(elsewhere(counts, routes.route.archive));
      return { kind: 'later', atMs: clock.now() + LEAVE_FOR_MS };
    };
}

function elsewhere({ batch, archive }: BatchCounts, ours: string): FluxError {
  return new FluxError('archive-differs', `The batch ${batch} goes to ${archive}, this worker stores in ${ours}`, {
    hint: 'Start a worker with that ARCHIVE_URL.',
  });
}
