import type { BatchCounts } from '../batch/counts.ts';
import { unknownBatch } from '../batch/find.ts';
import type { LastFault } from '../fleet/faults.ts';
import type { WorkerFacts } from '../fleet/heartbeats.ts';
import type { LimiterUsage } from '../fleet/limiter.ts';
import type { TrippedBreaker } from '../fleet/probe-breaker.ts';
import type { Route } from '../fleet/route-names.ts';
import { type AtRisk, atRisk, oldestWaiting } from '../queue/backlog.ts';
import type { Stage } from '../queue/queues.ts';
import type { Rate } from '../text/duration.ts';
import type { Connections } from '../wiring/connections.ts';
import { openLimiters, type WatchedLimiter } from '../wiring/stage-ports.ts';

export type QueueDepth = {
  waiting: number;
  active: number;
  delayed: number;
  /** How long the oldest waiting job has waited, in milliseconds; null if none waits. */
  oldestMs: number | null;
};

/** Everything that `status` shows, at one moment. Times are epoch milliseconds. */
export type Snapshot = {
  at: number;
  /** What the queues and rates shown belong to; batches of other archives and APIs are in queues of their own. */
  route: Route;
  batches: BatchCounts[];
  queues: Record<Stage, QueueDepth>;
  rates: { submit: RateUse; poll: RateUse };
  tasks: { running: number; most: number };
  workers: WorkerFacts[];
  /** Why the circuit breaker is tripped; null while it is not. */
  breaker: TrippedBreaker | null;
  /** What the fleet waits for besides, the longest first. */
  faults: LastFault[];
  atRisk: AtRisk;
  /** When a person paused all batches; null while they are not paused. */
  pausedAt: number | null;
};
export type RateUse = Omit<LimiterUsage, 'limit'> & { limit: number; windowMs: number };

export type ReadSnapshot = (batch: string | undefined) => Promise<Snapshot>;

/** Reads Redis only. Throws a UsageError (`batch-unknown`) if Redis does not know the batch. */
export function snapshotReader(
  connections: Pick<
    Connections,
    'config' | 'state' | 'queues' | 'control' | 'heartbeats' | 'redis' | 'keys' | 'routes' | 'faults' | 'clock'
  >,
): ReadSnapshot {
  const { config, state, queues, routes, control, heartbeats, faults, clock } = connections;
  const { submitLimiter, pollLimiter } = openLimiters(connections);
  const rateOf = async (limiter: WatchedLimiter, rate: Rate): Promise<RateUse> => {
    const usage = await limiter.usage();
    return { ...usage, limit: usage.limit ?? rate.max, windowMs: rate.windowMs };
  };

  async function batchesOf(batch: string | undefined): Promise<BatchCounts[]> {
    const known = await state.batches();
    if (batch !== undefined && !known.includes(batch)) throw unknownBatch(batch, known);
    const names = batch === undefined ? known : [batch];
    return (await Promise.all(names.map((name) => state.counts(name)))).filter((counts) => counts !== undefined);
  }

  return async (batch) => {
    const [batches, depths, oldest, submit, poll, workers, breaker, pausedAt, waits, risk] = await Promise.all([
      batchesOf(batch),
      queues.depths(),
      oldestWaiting(queues, Date.now()),
      rateOf(submitLimiter, config.rateLimit),
      rateOf(pollLimiter, config.pollLimit),
      heartbeats.live(),
      state.breaker(),
      control.fleetPausedAt(),
      faults.current(),
      atRisk(queues, clock.now()),
    ]);
    const at = Date.now();
    const depthOf = (stage: Stage): QueueDepth => {
      const { waiting = 0, prioritized = 0, paused = 0, active = 0, delayed = 0 } = depths[stage];
      return {
        waiting: waiting + prioritized + paused,
        active,
        delayed,
        oldestMs: oldest[stage] > 0 ? Math.round(oldest[stage] * 1_000) : null,
      };
    };
    const polls = depthOf('poll');
    return {
      at,
      route: routes.route,
      batches,
      queues: { submit: depthOf('submit'), poll: polls, archive: depthOf('archive'), finish: depthOf('finish') },
      rates: { submit, poll },
      tasks: { running: polls.waiting + polls.active + polls.delayed, most: config.maxTasks },
      workers,
      breaker: breaker ?? null,
      faults: waits,
      atRisk: risk,
      pausedAt: pausedAt ?? null,
    };
  };
}
