import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchCounts } from '../batch/counts.ts';
import { emptyCounts, isFinished, isOutOfBudget, isStuckButForSubmits } from '../batch/counts.ts';
import type { Enqueued } from '../batch/enqueue-items.ts';
import { FluxError } from '../errors.ts';
import type { TrippedBreaker } from '../fleet/probe-breaker.ts';
import type { Connections } from '../wiring/connections.ts';
import { longestDrainMs } from '../wiring/fleet.ts';
import type { OpenedPorts } from '../wiring/stage-ports.ts';
import { openDisplay } from './display.ts';
import { unlessAborted } from './unless-aborted.ts';
import type { View } from './view.ts';

/** How watching a batch ended. `ended` is false if it was stopped before the batch's end. */
export type BatchEnd = {
  ended: boolean;
  counts: BatchCounts;
  startedAt: number;
  before: BatchCounts | undefined;
  breaker: TrippedBreaker | undefined;
};

export type Watched = {
  batch: string;
  /** Enqueues the manifest. Called again if Redis has lost the batch. */
  enqueue(onProgress: (enqueued: Enqueued) => void): Promise<Enqueued>;
  signal: AbortSignal;
  /** Whether there is nothing left to wait for. By default: the batch has ended and its index is written. */
  isOver?(counts: BatchCounts): boolean | Promise<boolean>;
};

const EVERY_MS = 250;

/**
 * Enqueues a batch and shows its progress until `isOver`, until only a person can make it continue, or until the signal
 * aborts.
 */
export async function watchBatch(
  connections: Pick<Connections, 'state' | 'control' | 'config'>,
  ports: Pick<OpenedPorts, 'submitLimiter' | 'prices'>,
  watched: Watched,
): Promise<BatchEnd> {
  const { isOver = isFinished } = watched;
  const startedAt = Date.now();
  const before = await connections.state.counts(watched.batch);
  const display = openDisplay(process.stderr);
  let enqueued: Enqueued | undefined;
  let failure: unknown;
  let stuckSince: number | undefined;
  const startEnqueue = () => {
    enqueued = undefined;
    watched
      .enqueue((progress) => {
        if (watched.signal.aborted) throw new FluxError('enqueue-stopped', 'Stopped while enqueueing');
        display.enqueuing(progress.items);
      })
      .then((sum) => {
        enqueued = sum;
      })
      .catch((error: unknown) => {
        failure = error;
      });
  };

  let end: BatchEnd = {
    ended: false,
    counts: before ?? emptyCounts(watched.batch),
    startedAt,
    before,
    breaker: undefined,
  };
  startEnqueue();
  try {
    for (;;) {
      // Read this before the counts. Read after them, it could be true while the counts are from before the items were
      // enqueued.
      const isEnqueued = enqueued !== undefined;
      const seen = await unlessAborted(look(watched.batch, connections, ports), watched.signal);
      if (!seen) return end;
      if (failure !== undefined) throw failure;
      const { counts, breaker } = seen;
      if (isEnqueued && !counts) {
        display.note('Redis has lost the batch; enqueueing it again from the manifest and the archive');
        startEnqueue();
      }
      end = { ...end, counts: counts ?? emptyCounts(watched.batch), breaker };
      const { rateLimit } = connections.config;
      display.show({ ...seen, ...end, rateLimit, prices: ports.prices, now: Date.now() });
      const over = isEnqueued && counts ? unlessAborted(Promise.resolve(isOver(counts)), watched.signal) : false;
      if (await over) return { ...end, ended: true };
      stuckSince =
        isEnqueued && isStuckButForSubmits(end.counts, breaker) ? (stuckSince ?? performance.now()) : undefined;
      const isStuck = stuckSince !== undefined && submitsAreOver(end.counts, stuckSince, connections);
      if (isStuck || (isEnqueued && isOutOfBudget(end.counts))) return end;
      await sleep(EVERY_MS, undefined, { signal: watched.signal }).catch(() => {});
    }
  } finally {
    display.close();
  }
}

/** A submit under way may have its answer yet. That of a worker that died has none, and is only settled when submitting goes on. */
function submitsAreOver({ items }: BatchCounts, since: number, { config }: Pick<Connections, 'config'>): boolean {
  return items.submitting === 0 || performance.now() - since > longestDrainMs(config);
}

type Seen = Pick<View, 'breaker' | 'allPausedAt' | 'usage'> & { counts: BatchCounts | undefined };

async function look(
  batch: string,
  { state, control }: Pick<Connections, 'state' | 'control'>,
  ports: Pick<OpenedPorts, 'submitLimiter'>,
): Promise<Seen> {
  // The breaker first: what was submitted until it tripped is then in the counts, and is waited for.
  const breaker = await state.breaker();
  const counts = await state.counts(batch);
  return { counts, breaker, allPausedAt: await control.fleetPausedAt(), usage: await ports.submitLimiter.usage() };
}
