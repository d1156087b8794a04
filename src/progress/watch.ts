import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchCounts } from '../batch/counts.ts';
import { doneOf, emptyCounts, isFinished, isOutOfBudget, isStuckButForSubmits } from '../batch/counts.ts';
import type { Enqueued } from '../batch/enqueue-items.ts';
import { type Wait, waitsOf } from '../diagnosis/out-of-reach.ts';
import type { Snapshot } from '../diagnosis/snapshot.ts';
import { type Stop, stopOf } from '../diagnosis/stopped.ts';
import { FluxError } from '../errors.ts';
import type { TrippedBreaker } from '../fleet/probe-breaker.ts';
import type { Prices } from '../money/prices.ts';
import { isDenied, isRedisAway } from '../redis/away.ts';
import type { SnapshotConnections } from '../status/snapshot.ts';
import { longestDrainMs } from '../wiring/fleet.ts';
import { type Display, openDisplay } from './display.ts';
import { openLooks } from './look.ts';
import { unlessAborted } from './unless-aborted.ts';

/** How watching a batch ended. `ended` is false if it was stopped before the batch's end. */
export type BatchEnd = {
  ended: boolean;
  counts: BatchCounts;
  startedAt: number;
  before: BatchCounts | undefined;
  /** Why nothing that waits was submitted in the end. */
  stop: Stop | undefined;
  /** What it was not to wait for any longer. */
  waitedFor: Wait | undefined;
};

export type Watched = {
  batch: string;
  /** Enqueues the manifest. Called again if Redis has lost the batch, or the jobs of some of its items. */
  enqueue(onProgress: (enqueued: Enqueued) => void): Promise<Enqueued>;
  signal: AbortSignal;
  /** Whether there is nothing left to wait for. By default: the batch has ended and its index is written. */
  isOver?(counts: BatchCounts): boolean | Promise<boolean>;
  /** How long it may stand still for somebody out of reach, or for a pause; without end by default. */
  waitAtMostMs?: number | undefined;
  /** Show no progress. */
  quiet?: boolean;
};

const NOTHING_SEEN = { breaker: null, lanes: [], waitingForEither: 0, faults: [], batches: [], pausedAt: null };
const EVERY_MS = 250;
const ENQUEUE_AGAIN_MS = 5_000;

/**
 * Enqueues a batch and shows its progress until `isOver`, until only a person can make it continue, or until the signal
 * aborts.
 */
export async function watchBatch(
  connections: SnapshotConnections,
  { prices }: { prices: Prices },
  watched: Watched,
): Promise<BatchEnd> {
  const { batch, signal, isOver = isFinished, waitAtMostMs = Number.POSITIVE_INFINITY } = watched;
  const startedAt = Date.now();
  const before = await connections.state.counts(batch);
  const display = openDisplay(process.stderr, { quiet: watched.quiet === true });
  const look = openLooks(batch, connections);
  const stands = stillness();
  const enqueueing = openEnqueueing(connections, watched, display);
  let last: Snapshot | undefined;
  /** Once is enough until they have jobs: not everything that is watched can give them one. */
  let isRestoring = false;
  let stuckSince: number | undefined;
  const isStuckForGood = (counts: BatchCounts, breaker: TrippedBreaker | undefined) => {
    stuckSince = isStuckButForSubmits(counts, breaker) ? (stuckSince ?? performance.now()) : undefined;
    if (stuckSince === undefined) return false;
    // A submit under way may have its answer yet; that of a worker that died has none, and is only settled when submitting goes on.
    return counts.items.submitting === 0 || performance.now() - stuckSince > longestDrainMs(connections.config);
  };
  /** Asked again at the next look where Redis does not answer it now. */
  const isOverNow = async (counts: BatchCounts) => {
    try {
      return await isOver(counts);
    } catch (error) {
      if (isRedisAway(error) || isDenied(error)) return false;
      throw error;
    }
  };
  const endOf = (ended: boolean, waitedFor?: Wait): BatchEnd => {
    const counts = last?.batches[0] ?? before ?? emptyCounts(batch);
    return { ended, counts, startedAt, before, stop: last && stopOf(last), waitedFor };
  };

  enqueueing.start();
  try {
    for (;;) {
      // Before the counts, which else could be those from before the items were taken in.
      const isEnqueued = enqueueing.isDone();
      const seen = await unlessAborted(look(), signal);
      if (!seen) return endOf(false);
      enqueueing.check();
      const { snapshot, redisAway } = seen;
      last = snapshot ?? last;
      const counts = snapshot?.batches[0] ?? emptyCounts(batch);
      if (snapshot) display.show({ counts, snapshot, prices, elapsedMs: Date.now() - startedAt });
      if (snapshot && !redisAway && isEnqueued) {
        if (snapshot.batches.length === 0)
          enqueueing.again('Redis has lost the batch; enqueueing it again from the manifest and the archive');
        else if (counts.orphans > 0 && !isRestoring)
          enqueueing.again('Redis has lost jobs of the batch; enqueueing it again');
        else if (await unlessAborted(isOverNow(counts), signal)) return endOf(true);
        isRestoring = counts.orphans > 0;
        if (isStuckForGood(counts, stopOf(snapshot)?.breaker) || isOutOfBudget(counts)) return endOf(false);
      }
      const waits = waitsOf(batch, { ...NOTHING_SEEN, at: connections.clock.now(), ...snapshot, redisAway });
      const stillMs = stands.forMs(counts);
      const waitedFor = waits.find(({ forMs }) => Math.min(forMs, stillMs) >= waitAtMostMs);
      if (waitedFor) return endOf(false, { ...waitedFor, forMs: Math.min(waitedFor.forMs, stillMs) });
      await sleep(EVERY_MS, undefined, { signal }).catch(() => {});
    }
  } finally {
    display.close();
  }
}

/** How long no item has gone on. A probe of the breaker, which is given back, is no progress. */
function stillness(): { forMs(counts: BatchCounts): number } {
  let stood = '';
  let since = performance.now();
  return {
    forMs(counts) {
      const { submitted, finished } = counts.items;
      const stands = [counts.total, doneOf(counts), submitted, finished].join(' ');
      if (stands !== stood) since = performance.now();
      stood = stands;
      return performance.now() - since;
    },
  };
}

/** Takes the manifest in beside the watching. An archive out of reach is waited for, as the workers do, and so is Redis. */
function openEnqueueing({ faults }: Pick<SnapshotConnections, 'faults'>, watched: Watched, display: Display) {
  let isDone = false;
  /** Redis let us do all of it before. */
  let wasDone = false;
  let failure: unknown;
  const start = async () => {
    isDone = false;
    try {
      await watched.enqueue((progress) => {
        if (watched.signal.aborted) throw new FluxError('enqueue-stopped', 'Stopped while enqueueing');
        display.enqueuing(progress.items);
      });
      isDone = true;
      wasDone = true;
    } catch (error) {
      const isAway = error instanceof FluxError && error.code === 'archive-unreachable';
      if (!isAway && !isRedisAway(error) && !(wasDone && isDenied(error))) {
        failure = error;
        return;
      }
      if (isAway) faults.port.note('archive-unreachable', error.message);
      await sleep(ENQUEUE_AGAIN_MS, undefined, { signal: watched.signal }).catch(() => {});
      if (!watched.signal.aborted) await start();
    }
  };
  return {
    start: () => void start(),
    isDone: () => isDone,
    again(why: string) {
      display.note(why);
      void start();
    },
    /** Throws what enqueueing threw. */
    check() {
      if (failure !== undefined) throw failure;
    },
  };
}
