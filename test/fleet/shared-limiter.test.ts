import { setMaxListeners } from 'node:events';
import { expect, onTestFinished, test, vi } from 'vitest';
import { sharedLimiter } from '../../src/fleet/both-limiters.ts';
import { redisLimiter } from '../../src/fleet/limiter.ts';
import type { Limiter, Slot } from '../../src/stages/ports.ts';
import { ownRedis } from '../redis/connections.ts';

/** In a window that does not end within the test. */
function shared(max: number) {
  const { keys, connection } = ownRedis();
  const options = { rate: { max, windowMs: 3_600_000 }, requestTimeoutMs: 3_600_000 };
  const limiter = (name: string) => redisLimiter(connection(), keys, { ...options, name });
  const ended = new AbortController();
  setMaxListeners(0, ended.signal);
  onTestFinished(() => ended.abort());
  const polls = sharedLimiter(limiter('poll'), limiter('poll-uncalled'));
  const sent: Slot[] = [];
  /** Asks for so many slots; they are sent when they are given. */
  const ask = (count: number, leaves: number, from: Limiter = polls) => {
    let given = 0;
    const all = Array.from({ length: count }, async () => {
      const slot = await from.take({ leadMs: 0, goesOut: true, leaves, signal: ended.signal });
      await slot.ready();
      given += 1;
      sent.push(slot);
      await slot.settle();
    });
    for (const one of all) one.catch(() => {});
    return { given: () => given, all: () => Promise.all(all) };
  };
  return { polls, ask };
}

test('requests for which all others leave room go at once, while those wait that leave it', async () => {
  const { polls, ask } = shared(10);
  const others = ask(30, 0.7);
  const called = ask(7, 0);
  await called.all();
  await vi.waitFor(async () => expect((await polls.usage()).inWindow).toBe(10));
  await vi.waitFor(() => expect(others.given()).toBe(3));
});

test('of those that leave nearly all of the limit one goes in a window', async () => {
  const { polls, ask } = shared(10);
  const others = ask(20, 0.98);
  await ask(9, 0).all();
  await vi.waitFor(async () => expect((await polls.usage()).inWindow).toBe(10));
  await vi.waitFor(() => expect(others.given()).toBe(1));
});

test('where nothing is left to others all of the limit is used', async () => {
  const { ask } = shared(10);
  await ask(10, 0).all();
  await expect(Promise.race([ask(1, 0).all(), ask(1, 0.5).all(), Promise.resolve('they wait')])).resolves.toBe(
    'they wait',
  );
});
