import type { Closers } from '../wiring/closers.ts';
import type { RedisClient } from './connection.ts';

/** Epoch milliseconds that all processes of a fleet agree on. */
export type Clock = { now(): number };

const ASK_EVERY_MS = 30_000;
/** Less than this apart are clocks that are kept by NTP: nothing that our deadlines notice. */
const NOISE_MS = 2_000;

/**
 * The time of the Redis server. Deadlines travel between machines, and what one whose clock is ten minutes slow has submitted must not
 * be overdue to one whose clock is right. `local`: this machine's clock.
 */
export async function openFleetClock(redis: RedisClient, closers: Closers, local = Date.now): Promise<Clock> {
  let offsetMs = 0;
  const ask = async () => {
    const askedAt = local();
    const [seconds, micros] = await redis.time();
    const serverMs = Number(seconds) * 1_000 + Number(micros) / 1_000;
    offsetMs = offsetOf({ askedAt, serverMs, answeredAt: local() }) ?? offsetMs;
  };
  await ask();
  // What was learned last holds while Redis is away.
  const timer = setInterval(() => void ask().catch(() => {}), ASK_EVERY_MS);
  timer.unref();
  closers.push(async () => clearInterval(timer));
  return { now: () => local() + offsetMs };
}

/**
 * What to add to the machine's clock, in milliseconds. Undefined for an answer that was long on its way, as one that waited for a lost
 * Redis to come back: nobody knows when in that time it was given.
 */
export function offsetOf(answer: { askedAt: number; serverMs: number; answeredAt: number }): number | undefined {
  const { askedAt, serverMs, answeredAt } = answer;
  if (answeredAt - askedAt > NOISE_MS) return undefined;
  const found = Math.round(serverMs - (askedAt + answeredAt) / 2);
  return Math.abs(found) > NOISE_MS ? found : 0;
}
