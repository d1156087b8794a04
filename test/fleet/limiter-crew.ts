import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LimiterOptions, redisLimiter } from '../../src/fleet/limiter.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { ownRedis } from '../redis/connections.ts';

export const NEVER = new AbortController().signal;
setMaxListeners(0, NEVER);

/** Limiters of one name, each on a connection of its own, as several processes have them. */
export function fleet(size: number, options: Partial<LimiterOptions> = {}) {
  const { keys, connection } = ownRedis();
  const redis = connection();
  const all: LimiterOptions = {
    name: randomUUID(),
    rate: { max: 5, windowMs: 300 },
    // Nobody is taken for dead because the machine is slow, unless a test says so.
    requestTimeoutMs: 3_600_000,
    marginMs: 20,
    ...options,
  };
  const limiters = Array.from({ length: size }, () => redisLimiter(connection(), keys, all));
  const [first] = limiters;
  if (!first) throw new Error('Expected a fleet of at least one');
  const state = keys.limiter(all.name, 'state');
  const log = (['reserved', 'sent', 'free', 'accepted', 'state'] as const).map((part) => keys.limiter(all.name, part));
  return { limiters, first, redis, keys, connection, options: all, state, flush: () => redis.del(...log) };
}

export type Sent = { at: number; by: number; refused: boolean };

/**
 * Sends `requests` through the limiters, `waiters` at once for each, with answers after a random time. `judge` says
 * whether the provider refuses the request that comes in at this time, and with which Retry-After.
 */
export async function sendAll(
  limiters: readonly ReturnType<typeof redisLimiter>[],
  work: {
    requests: number;
    waiters: number;
    seed?: number;
    latencyMs?: number;
    judge?: (at: number) => { retryAfterMs?: number } | undefined;
  },
): Promise<Sent[]> {
  const random = createRandom(work.seed ?? 1, 'limiter');
  const log: Sent[] = [];
  let started = 0;
  const waiter = async (limiter: ReturnType<typeof redisLimiter>, by: number) => {
    while (started < work.requests) {
      started += 1;
      const slot = await limiter.take({ leadMs: random() * 8, signal: NEVER });
      await sleep(random() * 8);
      await slot.ready();
      const at = performance.now();
      slot.sent();
      const refusal = work.judge?.(at);
      log.push({ at, by, refused: refusal !== undefined });
      await sleep(random() * (work.latencyMs ?? 20));
      if (refusal) {
        started -= 1;
        await slot.refuse(refusal.retryAfterMs);
      } else await slot.settle();
    }
  };
  await Promise.all(
    limiters.flatMap((limiter, index) => Array.from({ length: work.waiters }, () => waiter(limiter, index))),
  );
  return log.sort((a, b) => a.at - b.at);
}

/** The most that went within any `windowMs`. */
export function mostWithin(times: readonly number[], windowMs: number): number {
  return times.reduce((most, start, index) => {
    const within = times.slice(index).filter((time) => time < start + windowMs).length;
    return Math.max(most, within);
  }, 0);
}

/** A provider that lets so many through within any window. */
export function sliding(max: () => number, windowMs: number) {
  let accepted: number[] = [];
  return (at: number) => {
    accepted = accepted.filter((time) => time > at - windowMs);
    if (accepted.length >= max()) return false;
    accepted.push(at);
    return true;
  };
}

export const now = { leadMs: 0, signal: NEVER };
export const times = (log: readonly { at: number }[]) => log.map(({ at }) => at);
/** Clocks differ by rounding: Redis counts whole milliseconds. */
export const ROUNDING_MS = 2;

/** Takes a slot, waits for its time and sends; resolves with that time: not before the slot was ready, not after it was sent. */
export async function sendOne(limiter: ReturnType<typeof redisLimiter>) {
  const slot = await limiter.take(now);
  await slot.ready();
  const at = performance.now();
  slot.sent();
  return { slot, at };
}

type RedisTime = { time(): Promise<(string | number)[]> };

/** Milliseconds by the server's clock, which is the limiter's. */
export async function serverTime(redis: RedisTime): Promise<number> {
  const [seconds, micros] = await redis.time();
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
}
