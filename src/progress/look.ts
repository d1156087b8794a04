import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchCounts } from '../batch/counts.ts';
import { messageOf } from '../errors.ts';
import type { LimiterUsage } from '../fleet/limiter.ts';
import type { TrippedBreaker } from '../fleet/probe-breaker.ts';
import { atRisk } from '../queue/backlog.ts';
import { isRedisAway } from '../redis/away.ts';
import { redisAway } from '../redis/refusals.ts';
import type { Connections } from '../wiring/connections.ts';
import type { OpenedPorts } from '../wiring/stage-ports.ts';
import { type Wait, waitsOf } from './waits.ts';

/** How a batch stands at one moment, by Redis. */
export type Seen = {
  /** Undefined when Redis does not know the batch. */
  counts: BatchCounts | undefined;
  breaker: TrippedBreaker | undefined;
  allPausedAt: number | undefined;
  usage: LimiterUsage;
  waits: readonly Wait[];
  /** Images that wait longer than their original URL lives. */
  outlived: number;
};
export type WatchConnections = Pick<
  Connections,
  'state' | 'control' | 'config' | 'faults' | 'queues' | 'clock' | 'redis'
>;
export type WatchPorts = Pick<OpenedPorts, 'submitLimiter' | 'prices'>;

/** A Redis that has not answered for so long is away. */
const PATIENCE_MS = 2_000;
/** It reads hundreds of jobs. */
const RISK_EVERY_MS = 5_000;

/** Looks at a batch. A patient connection waits for a lost Redis without end, so this does not: then it says since when. */
export function openLooks(batch: string, connections: WatchConnections, ports: WatchPorts) {
  const { state, control, faults, queues, clock, redis } = connections;
  let pending: Promise<Seen> | undefined;
  let awaySince: number | undefined;
  let outlived = 0;
  let riskAt = Number.NEGATIVE_INFINITY;

  async function ask(): Promise<Seen> {
    // Before the counts: those from before a submit, with a breaker that it tripped, would look as if nothing were under way.
    const breaker = await state.breaker();
    const counts = await state.counts(batch);
    const waits = waitsOf(breaker, await faults.current(), clock.now());
    if (performance.now() - riskAt >= RISK_EVERY_MS) {
      riskAt = performance.now();
      outlived = (counts?.items.finished ?? 0) === 0 ? 0 : (await atRisk(queues, clock.now())).outlived;
    }
    const [allPausedAt, usage] = [await control.fleetPausedAt(), await ports.submitLimiter.usage()];
    return { counts, breaker, allPausedAt, usage, waits, outlived };
  }
  /** It answers to who reads, and refuses what workers write. */
  function refusing(): Wait[] {
    const away = redisAway(redis);
    return away ? [{ kind: 'redis-unreachable', message: away.message, forMs: performance.now() - away.since }] : [];
  }

  return async (): Promise<Seen | Wait> => {
    if (!pending) {
      awaySince ??= performance.now();
      pending = ask();
      // It may fail while nobody looks; the next look meets that.
      pending.catch(() => {});
    }
    const away = (message: string): Wait => {
      return { kind: 'redis-unreachable', message, forMs: performance.now() - (awaySince ?? performance.now()) };
    };
    const patience = new AbortController();
    try {
      const late = sleep(PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => undefined);
      const seen = await Promise.race([pending, late]);
      if (!seen) return away(redisAway(redis)?.message ?? 'it does not answer');
      pending = undefined;
      awaySince = undefined;
      return { ...seen, waits: [...refusing(), ...seen.waits] };
    } catch (error) {
      pending = undefined;
      if (isRedisAway(error)) return away(messageOf(error));
      throw error;
    } finally {
      patience.abort();
    }
  };
}
