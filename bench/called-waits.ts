import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectRedis } from '../src/redis/connection.ts';
import { keysOf } from '../src/redis/keys.ts';
import type { Limiter } from '../src/stages/ports.ts';
import { redisPollLimiter } from '../src/wiring/poll-limiter.ts';
import { startRedis } from '../test/services/redis.ts';

const RATE = { max: 10, windowMs: 1_000 };
const SECONDS = 20;
/** Called for in a second, on average, and others that wait at any time. */
const CALLED = 4;
const OTHERS = 40;
const ANSWER_MS = 40;

/**
 * How long a poll that a callback asks for waits for its slot while ten a second are all used. `leaves`: what the others leave to it, as
 * where so many of the tasks are called back; 0: nothing, as before. Milliseconds, ascending.
 */
export async function calledWaits(leaves: number): Promise<number[]> {
  const server = await startRedis({ appendonly: true });
  const redis = await connectRedis(server.url, { patient: true, name: 'bench' });
  const limiter = redisPollLimiter(redis, keysOf(`bench-${leaves}`), RATE);
  const ended = new AbortController();
  setMaxListeners(0, ended.signal);
  const waits: number[] = [];
  const poll = async (from: Limiter, left: number) => {
    const slot = await from.take({ leadMs: 0, goesOut: true, leaves: left, signal: ended.signal });
    await slot.ready();
    void sleep(ANSWER_MS).then(() => slot.settle());
  };
  const others = Array.from({ length: OTHERS }, async () => {
    while (!ended.signal.aborted) await poll(limiter, leaves).catch(() => {});
  });
  // The first window is used up at once, and in a bunch.
  await sleep(3 * RATE.windowMs);
  const until = performance.now() + SECONDS * 1_000;
  const called: Promise<void>[] = [];
  while (performance.now() < until) {
    await sleep((-Math.log(1 - Math.random()) * 1_000) / CALLED);
    const askedAt = performance.now();
    called.push(
      poll(limiter, 0).then(() => {
        waits.push(performance.now() - askedAt);
      }),
    );
  }
  await Promise.all(called);
  ended.abort();
  await Promise.all(others);
  await sleep(2 * ANSWER_MS);
  redis.disconnect();
  await server.stop();
  return waits.sort((a, b) => a - b);
}
