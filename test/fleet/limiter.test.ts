import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { redisLimiter } from '../../src/fleet/limiter.ts';
import { fleet, mostWithin, NEVER, now, ROUNDING_MS, sendAll, sendOne, times } from './limiter-crew.ts';

describe('the rate', () => {
  test.each([1, 2, 3])(
    'never lets more than 5 go within 300 ms, over 3 connections of 4 waiters (seed %i)',
    async (seed) => {
      const { limiters } = fleet(3);
      const log = await sendAll(limiters, { requests: 30, waiters: 4, seed });
      expect(log).toHaveLength(30);
      expect(mostWithin(times(log), 300)).toBeLessThanOrEqual(5);
      expect(new Set(log.map(({ by }) => by)).size).toBe(3);
    },
  );

  test('holds when answers take longer than the window', async () => {
    const { limiters } = fleet(2, { rate: { max: 3, windowMs: 150 } });
    const log = await sendAll(limiters, { requests: 12, waiters: 4, latencyMs: 300 });
    expect(mostWithin(times(log), 150)).toBeLessThanOrEqual(3);
  });

  test('uses all of what is permitted, and no more', async () => {
    const { limiters, first, redis, keys, options } = fleet(2, { rate: { max: 5, windowMs: 3_600_000 } });
    const impatience = new AbortController();
    let sent = 0;
    const waiting = limiters.flatMap((limiter) =>
      Array.from({ length: 6 }, async () => {
        const slot = await limiter.take({ leadMs: 0, signal: impatience.signal });
        await slot.ready();
        slot.sent();
        sent += 1;
        await slot.settle();
      }),
    );
    const ended = Promise.allSettled(waiting);
    // Each answered slot is promised to one who waits: an hour from now.
    await vi.waitFor(async () => expect(await redis.zcard(keys.limiter(options.name, 'reserved'))).toBe(5));
    expect(sent).toBe(5);
    expect(await first.usage()).toMatchObject({ limit: 5, sent: 5 });
    impatience.abort();
    await ended;
    expect(sent).toBe(5);
  });

  test('gives each waiter a slot of its own, so that nobody has to ask twice', async () => {
    const { first, redis, keys, options } = fleet(1, { rate: { max: 2, windowMs: 1_000 } });
    const sent = await Promise.all([sendOne(first), sendOne(first)]);
    for (const { slot } of sent) await slot.settle();
    const waiting = [first.take(now), first.take(now)];
    await vi.waitFor(async () => expect(await redis.zcard(keys.limiter(options.name, 'reserved'))).toBe(2));
    const slots = await Promise.all(waiting);
    const at = await Promise.all(slots.map((slot) => slot.ready().then(() => performance.now())));
    for (const [index, { at: earlier }] of sent.entries()) {
      expect((at[index] ?? 0) - earlier).toBeGreaterThanOrEqual(1_000 - ROUNDING_MS);
    }
  });

  test('counts from when the request went out, not from when its slot was ready', async () => {
    const { first } = fleet(1, { rate: { max: 1, windowMs: 200 } });
    const slot = await first.take(now);
    await slot.ready();
    await sleep(100);
    const sentAt = performance.now();
    slot.sent();
    await sleep(30);
    await slot.settle();
    const next = await sendOne(first);
    expect(next.at - sentAt).toBeGreaterThanOrEqual(200 - ROUNDING_MS);
  });

  test('leaves a margin: a request that was slow on its way and the next, a quick one, do not arrive within a window', async () => {
    const { first } = fleet(1, { rate: { max: 1, windowMs: 300 }, marginMs: 120 });
    const { slot, at } = await sendOne(first);
    await sleep(110);
    await slot.settle();
    const quick = await sendOne(first);
    expect(quick.at - at).toBeGreaterThanOrEqual(300 + 120 - ROUNDING_MS);
  });

  test('tells what the provider has seen within the window, also when the slots are promised to others already', async () => {
    const { first, redis, keys, options } = fleet(1, { rate: { max: 3, windowMs: 60_000 } });
    const log = (part: 'reserved') => keys.limiter(options.name, part);
    for (let sent = 0; sent < 3; sent += 1) await (await sendOne(first)).slot.settle();
    const leaving = new AbortController();
    const waiters = [1, 2, 3].map(() => first.take({ leadMs: 0, signal: leaving.signal }).catch(() => 'left'));
    await vi.waitFor(async () => expect(await redis.zcard(log('reserved'))).toBe(3));
    expect(await first.usage()).toMatchObject({ limit: 3, inWindow: 3 });
    leaving.abort();
    expect(await Promise.all(waiters)).toEqual(['left', 'left', 'left']);
  });

  test('does not tell of a request whose slot has come and that has not gone out yet', async () => {
    const { first } = fleet(1, { rate: { max: 3, windowMs: 60_000 } });
    await (await sendOne(first)).slot.settle();
    const slot = await first.take({ leadMs: 0, signal: NEVER });
    expect(await first.usage()).toMatchObject({ inWindow: 1, sent: 2 });
    await slot.ready();
    expect(await first.usage()).toMatchObject({ inWindow: 2 });
    await slot.settle();
    expect(await first.usage()).toMatchObject({ inWindow: 2 });
  });

  test('keeps limiters of different names apart', async () => {
    const { first, keys, connection, options } = fleet(1, { rate: { max: 1, windowMs: 60_000 } });
    await sendOne(first);
    const other = redisLimiter(connection(), keys, { ...options, name: `${options.name}-other` });
    await sendOne(other);
    expect(await other.usage()).toMatchObject({ limit: 1, inWindow: 1 });
  });
});

describe('slots of the dead and of those who changed their mind', () => {
  test('a slot that was sent and never answered is free again after the request timeout and a window', async () => {
    const { first } = fleet(2, { rate: { max: 1, windowMs: 150 }, requestTimeoutMs: 250 });
    const beganAt = performance.now();
    await sendOne(first);
    const next = await sendOne(first);
    expect(next.at - beganAt).toBeGreaterThanOrEqual(400 - ROUNDING_MS);
  });

  test('a released slot is free at once', async () => {
    const { first, redis, keys, options } = fleet(1, { rate: { max: 1, windowMs: 60_000 } });
    const slot = await first.take(now);
    await slot.release();
    expect(await redis.zcard(keys.limiter(options.name, 'reserved'))).toBe(0);
    await sendOne(first);
  });

  test('a released slot that was promised for later is free at its time', async () => {
    const { limiters, first } = fleet(2, { rate: { max: 1, windowMs: 300 } });
    const [, second = first] = limiters;
    const before = await sendOne(first);
    await before.slot.settle();
    const promised = await first.take({ leadMs: 250, signal: NEVER });
    await promised.release();
    const after = await sendOne(second);
    expect(after.at - before.at).toBeGreaterThanOrEqual(300 - ROUNDING_MS);
  });

  test('a waiter that is aborted gives its promised slot back at its time', async () => {
    const { limiters, first, redis, keys, options } = fleet(2, { rate: { max: 1, windowMs: 400 } });
    const [, second = first] = limiters;
    const before = await sendOne(first);
    await before.slot.settle();
    const impatience = new AbortController();
    const waiting = first.take({ leadMs: 0, signal: impatience.signal });
    await vi.waitFor(async () => expect(await redis.zcard(keys.limiter(options.name, 'reserved'))).toBe(1));
    impatience.abort();
    await expect(waiting).rejects.toThrow();
    const after = await sendOne(second);
    expect(after.at - before.at).toBeGreaterThanOrEqual(400 - ROUNDING_MS);
  });

  test('a waiter that is aborted while nothing can be promised holds nothing', async () => {
    const { first, redis, keys, options } = fleet(1, { rate: { max: 1, windowMs: 60_000 } });
    await sendOne(first);
    const impatience = new AbortController();
    const waiting = first.take({ leadMs: 0, signal: impatience.signal });
    impatience.abort();
    await expect(waiting).rejects.toThrow();
    expect(await redis.zcard(keys.limiter(options.name, 'reserved'))).toBe(0);
  });

  test('a slot whose holder slept too long is not used: another is taken in its place', async () => {
    const { limiters, first, redis, keys, options } = fleet(2, { rate: { max: 1, windowMs: 200 } });
    const [, second = first] = limiters;
    const sleeper = await first.take(now);
    // What its lease's end does, without waiting for it.
    await redis.del(keys.limiter(options.name, 'sent'));
    const other = await sendOne(second);
    await other.slot.settle();
    await sleeper.ready();
    expect(performance.now() - other.at).toBeGreaterThanOrEqual(200 - ROUNDING_MS);
  });
});

describe('the cap of running tasks', () => {
  test('counts the members of the poll queue and the unanswered submits', async () => {
    const base = fleet(1);
    const lists = [`${base.state}:wait`, `${base.state}:active`];
    const sortedSets = [`${base.state}:delayed`];
    const limiter = redisLimiter(base.connection(), base.keys, {
      ...base.options,
      running: { most: 4, lists, sortedSets },
    });
    await base.redis.rpush(lists[0] ?? '', 'one');
    await base.redis.zadd(sortedSets[0] ?? '', 1, 'two');
    await sendOne(limiter);
    const fourth = await sendOne(limiter);

    const reserved = base.keys.limiter(base.options.name, 'reserved');
    let isTaken = false;
    const fifth = limiter.take(now).then(async (slot) => {
      isTaken = true;
      await slot.ready();
      return { slot, at: performance.now() };
    });
    await vi.waitFor(async () => expect(await base.redis.zcard(reserved)).toBe(1));
    expect(isTaken).toBe(false);
    const freedAt = performance.now();
    await fourth.slot.settle();
    expect((await fifth).at).toBeGreaterThanOrEqual(freedAt);

    const sixth = sendOne(limiter);
    await vi.waitFor(async () => expect(await base.redis.zcard(reserved)).toBe(1));
    const endedAt = performance.now();
    await base.redis.del(sortedSets[0] ?? '');
    expect((await sixth).at).toBeGreaterThanOrEqual(endedAt);
  });
});

describe('a log that was lost', () => {
  test('makes who had used it wait one window', async () => {
    const { first, flush } = fleet(1, { rate: { max: 3, windowMs: 400 } });
    await sendOne(first);
    const flushedAt = performance.now();
    await flush();
    expect((await sendOne(first)).at - flushedAt).toBeGreaterThanOrEqual(400 - ROUNDING_MS);
  });

  test('does not make a fresh one wait', async () => {
    const { first } = fleet(1, { rate: { max: 3, windowMs: 60_000 } });
    await sendOne(first);
    expect((await first.usage()).pausedMs).toBe(0);
  });

  test('makes who had used it wait also when a fresh one came first', async () => {
    const { limiters, first, flush } = fleet(2, { rate: { max: 3, windowMs: 400 } });
    const [, fresh = first] = limiters;
    await sendOne(first);
    const flushedAt = performance.now();
    await flush();
    await sendOne(fresh);
    expect((await sendOne(first)).at - flushedAt).toBeGreaterThanOrEqual(400 - ROUNDING_MS);
  });

  test('never lets more go within a window than before', async () => {
    const { limiters, flush } = fleet(3, { rate: { max: 5, windowMs: 300 } });
    let sent = 0;
    const judge = () => {
      sent += 1;
      if (sent === 13) flush().catch(() => {});
      return undefined;
    };
    const log = await sendAll(limiters, { requests: 30, waiters: 4, judge });
    expect(mostWithin(times(log), 300)).toBeLessThanOrEqual(5);
  });
});
