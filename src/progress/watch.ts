import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchCounts } from '../batch/counts.ts';
import { emptyCounts, isFinished, isOutOfBudget, isStuck } from '../batch/counts.ts';
import type { Enqueued } from '../batch/enqueue-items.ts';
import { FluxError } from '../errors.ts';
import type { TrippedBreaker } from '../fleet/probe-breaker.ts';
import type { Connections } from '../wiring/connections.ts';
import { longestDrainMs } from '../wiring/fleet.ts';
import type { OpenedPorts } from '../wiring/stage-ports.ts';
import { openDisplay } from './display.ts';
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
  const { state, control, config } = connections;
  const { isOver = isFinished } = watched;
  const startedAt = Date.now();
  const before = await state.counts(watched.batch);
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

  startEnqueue();
  try {
    for (;;) {
      // Read this before the counts. Read after them, it could be true while the counts are from before the items were
      // enqueued.
      const isEnqueued = enqueued !== undefined;
      // So is this: counts from before a submit and a breaker that it tripped would look as if nothing were under way.
      const breaker = await state.breaker();
      const counts = await state.counts(watched.batch);
      if (failure !== undefined && !watched.signal.aborted) throw failure;
      if (isEnqueued && !counts) {
        display.note('Redis has lost the batch; enqueueing it again from the manifest and the archive');
        startEnqueue();
      }
      const now = counts ?? emptyCounts(watched.batch);
      display.show(
        await viewOf(connections, ports, {
          counts: now,
          before,
          startedAt,
          breaker,
          allPausedAt: await control.fleetPausedAt(),
        }),
      );
      if (isEnqueued && counts && (await isOver(counts))) return { ended: true, counts, startedAt, before, breaker };
      stuckSince = isEnqueued && isStuck(now, breaker) ? (stuckSince ?? performance.now()) : undefined;
      // A submit under way may have its answer yet; that of a worker that died has none, and is only settled when submitting goes on.
      const isSettled = now.items.submitting === 0 || performance.now() - (stuckSince ?? 0) > longestDrainMs(config);
      if (watched.signal.aborted || (stuckSince !== undefined && isSettled) || (isEnqueued && isOutOfBudget(now))) {
        return { ended: false, counts: now, startedAt, before, breaker };
      }
      await sleep(EVERY_MS, undefined, { signal: watched.signal }).catch(() => {});
    }
  } finally {
    display.close();
  }
}

type Moment = Pick<View, 'counts' | 'before' | 'startedAt' | 'breaker' | 'allPausedAt'>;

async function viewOf(
  { config }: Pick<Connections, 'config'>,
  ports: Pick<OpenedPorts, 'submitLimiter' | 'prices'>,
  moment: Moment,
): Promise<View> {
  const usage = await ports.submitLimiter.usage();
  return { ...moment, usage, rateLimit: config.rateLimit, prices: ports.prices, now: Date.now() };
}
