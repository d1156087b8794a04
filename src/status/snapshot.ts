import type { Connections } from '../connections.ts';
import type { Rate } from '../duration.ts';
import { unknownBatch } from '../known-batch.ts';
import type { BatchCounts } from '../queue/batch-state.ts';
import type { WorkerFacts } from '../queue/heartbeats.ts';
import { type LimiterUsage, redisLimiter } from '../queue/limiter.ts';
import type { Stage } from '../queue/queues.ts';
import type { Gate } from '../stages/probe-gate.ts';

export type QueueDepth = {
  waiting: number;
  active: number;
  delayed: number;
  /** How long ago the job was added that is first in line; null when none waits. */
  oldestMs: number | null;
};

/** Everything that `status` shows, at one moment. The names are a promise to scripts. */
export type Snapshot = {
  at: number;
  batches: BatchCounts[];
  queues: Record<Stage, QueueDepth>;
  rates: { submit: RateUse; poll: RateUse };
  tasks: { running: number; most: number };
  workers: WorkerFacts[];
  /** Why submitting is stopped for all; null while it is not. */
  gate: Gate | null;
  /** Since when a person has paused all batches; null when nobody has. */
  pausedAt: number | null;
};
export type RateUse = Omit<LimiterUsage, 'limit'> & { limit: number; windowMs: number };

export type Look = (batch: string | undefined) => Promise<Snapshot>;

/** Looks at Redis only; throws a UsageError (`batch-unknown`) for a batch that it does not know. */
export function openLook({ config, redis, keys, state, queues, control, heartbeats }: Connections): Look {
  const rateOf = (name: 'submit' | 'poll', rate: Rate): (() => Promise<RateUse>) => {
    const limiter = redisLimiter(redis, keys, { name, rate, requestTimeoutMs: config.submitTimeoutMs });
    return async () => {
      const usage = await limiter.usage();
      return { ...usage, limit: usage.limit ?? rate.max, windowMs: rate.windowMs };
    };
  };
  const [submitRate, pollRate] = [rateOf('submit', config.rateLimit), rateOf('poll', config.pollLimit)];

  async function batchesOf(batch: string | undefined): Promise<BatchCounts[]> {
    const known = await state.batches();
    if (batch !== undefined && !known.includes(batch)) throw unknownBatch(batch, known);
    const names = batch === undefined ? known : [batch];
    return (await Promise.all(names.map((name) => state.counts(name)))).filter((counts) => counts !== undefined);
  }

  return async (batch) => {
    const [batches, depths, oldest, submit, poll, workers, gate, pausedAt] = await Promise.all([
      batchesOf(batch),
      queues.depths(),
      queues.firstInLine(),
      submitRate(),
      pollRate(),
      heartbeats.live(),
      state.gate(),
      control.fleetPausedAt(),
    ]);
    const at = Date.now();
    const depthOf = (stage: Stage): QueueDepth => {
      const { waiting = 0, prioritized = 0, paused = 0, active = 0, delayed = 0 } = depths[stage];
      const since = oldest[stage];
      return {
        waiting: waiting + prioritized + paused,
        active,
        delayed,
        oldestMs: since === undefined ? null : Math.max(0, at - since),
      };
    };
    const polls = depthOf('poll');
    return {
      at,
      batches,
      queues: { submit: depthOf('submit'), poll: polls, archive: depthOf('archive'), finish: depthOf('finish') },
      rates: { submit, poll },
      tasks: { running: polls.waiting + polls.active + polls.delayed, most: config.maxTasks },
      workers,
      gate: gate ?? null,
      pausedAt: pausedAt ?? null,
    };
  };
}
