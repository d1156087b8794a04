import type { Closers } from '../wiring/closers.ts';
import type { RedisClient } from './connection.ts';

/** Epoch milliseconds on which all processes of a fleet agree. */
export type Clock = { now(): number };

const ASK_EVERY_MS = 30_000;
/** Clocks kept by NTP differ by less than this. Our deadlines do not notice such a difference. */
const NOISE_MS = 2_000;

/**
 * The clock of the Redis server. Deadlines travel between machines: a deadline set by a machine whose clock is ten minutes
 * slow would be overdue on a machine whose clock is right. `local` is this machine's clock.
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
  // While Redis is unreachable, the last known offset stays in use.
  const timer = setInterval(() => void ask().catch(() => {}), ASK_EVERY_MS);
  timer.unref();
  closers.push(async () => clearInterval(timer));
  return { now: () => local() + offsetMs };
}

/**
 * The offset to add to this machine's clock, in milliseconds. Undefined if the answer took long, for example because it
 * waited for a lost Redis: then it is unknown when in that time the server read its clock.
 */
export function offsetOf(answer: { askedAt: number; serverMs: number; answeredAt: number }): number | undefined {
  const { askedAt, serverMs, answeredAt } = answer;
  if (answeredAt - askedAt > NOISE_MS) return undefined;
  const found = Math.round(serverMs - (askedAt + answeredAt) / 2);
  return Math.abs(found) > NOISE_MS ? found : 0;
}
