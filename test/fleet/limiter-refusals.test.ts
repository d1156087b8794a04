import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { redisLimiter } from '../../src/fleet/limiter.ts';
import { fleet, mostWithin, now, ROUNDING_MS, sendAll, sendOne, serverTime, sliding, times } from './limiter-crew.ts';

describe('a refusal (429)', () => {
  test('pauses everyone, then lets one go first alone, and then the rest', async () => {
    const { limiters, first } = fleet(3, { rate: { max: 6, windowMs: 300 } });
    const refused = await sendOne(first);
    const refusedAt = performance.now();
    await refused.slot.refuse(200);
    const events: { what: 'sent' | 'answered'; at: number }[] = [];
    const note = (what: 'sent' | 'answered') => events.push({ what, at: performance.now() });
    await Promise.all(
      limiters.map(async (limiter) => {
        const { slot } = await sendOne(limiter);
        note('sent');
        // So long the provider takes to answer.
        await sleep(60);
        note('answered');
        await slot.settle();
      }),
    );
    expect((events[0]?.at ?? 0) - refusedAt).toBeGreaterThanOrEqual(200 - ROUNDING_MS);
    expect(events.map(({ what }) => what).slice(0, 3)).toEqual(['sent', 'answered', 'sent']);
  });

  test('a canary that is refused pauses everyone again', async () => {
    const { limiters, first } = fleet(2, { rate: { max: 6, windowMs: 300 } });
    const [, second = first] = limiters;
    const refused = await sendOne(first);
    await refused.slot.refuse(50);
    const canary = await sendOne(first);
    const rest = sendOne(second);
    const refusedAt = performance.now();
    await canary.slot.refuse(150);
    expect((await rest).at - refusedAt).toBeGreaterThanOrEqual(150 - ROUNDING_MS);
  });

  test('a canary that dies does not stop the rest for good', async () => {
    const { limiters, first } = fleet(2, { rate: { max: 6, windowMs: 300 }, requestTimeoutMs: 200 });
    const [, second = first] = limiters;
    const refused = await sendOne(first);
    await refused.slot.refuse(0);
    const canaryFrom = performance.now();
    await sendOne(first);
    const rest = await sendOne(second);
    expect(rest.at - canaryFrom).toBeGreaterThanOrEqual(200 - ROUNDING_MS);
  });

  test('a canary that is released passes its turn on', async () => {
    const { limiters, first } = fleet(2, { rate: { max: 6, windowMs: 300 } });
    const [, second = first] = limiters;
    const refused = await sendOne(first);
    await refused.slot.refuse(0);
    const canary = await sendOne(first);
    await canary.slot.release();
    // Nobody else gives it up: the canary has an hour for its answer.
    await sendOne(second);
    expect((await first.usage()).sent).toBe(2);
  });

  test('is waited for as long as Retry-After says, also when a shorter one follows', async () => {
    const { first } = fleet(1, { rate: { max: 6, windowMs: 300 } });
    const [one, two] = [await sendOne(first), await sendOne(first)];
    const refusedAt = performance.now();
    await one.slot.refuse(400);
    await two.slot.refuse(50);
    expect((await sendOne(first)).at - refusedAt).toBeGreaterThanOrEqual(400 - ROUNDING_MS);
  });

  test('is waited for a little, and longer from one to the next, when there is no Retry-After', async () => {
    const { first, redis, state } = fleet(1, { rate: { max: 9, windowMs: 3_000 } });
    const pauses: { least: number; most: number }[] = [];
    for (let round = 0; round < 2; round++) {
      const { slot } = await sendOne(first);
      const before = await serverTime(redis);
      await slot.refuse(undefined);
      const after = await serverTime(redis);
      const until = Number(await redis.hget(state, 'hold'));
      pauses.push({ least: until - after, most: until - before });
    }
    const [shorter, longer] = pauses;
    // A quarter of a second, and twice as long, a quarter more or less.
    expect(shorter?.most).toBeGreaterThanOrEqual(187);
    expect(shorter?.least).toBeLessThanOrEqual(313);
    expect(longer?.most).toBeGreaterThanOrEqual(374);
    expect(longer?.least).toBeLessThanOrEqual(626);
  });

  test('is waited out before a slot is given, so that nobody claims what cannot go yet', async () => {
    const { first } = fleet(1, { rate: { max: 6, windowMs: 300 } });
    const refused = await sendOne(first);
    const refusedAt = performance.now();
    await refused.slot.refuse(250);
    await first.take(now);
    expect(performance.now() - refusedAt).toBeGreaterThanOrEqual(250 - ROUNDING_MS);
  });

  test('that comes after a slot was given is waited out all the same', async () => {
    const { first } = fleet(1, { rate: { max: 6, windowMs: 300 } });
    const [refused, slot] = [await sendOne(first), await first.take(now)];
    const refusedAt = performance.now();
    await refused.slot.refuse(250);
    await slot.ready();
    expect(performance.now() - refusedAt).toBeGreaterThanOrEqual(250 - ROUNDING_MS);
  });

  test('several at once are one pause', async () => {
    const { first } = fleet(1, { rate: { max: 9, windowMs: 3_000 } });
    const sent = [await sendOne(first), await sendOne(first), await sendOne(first)];
    await Promise.all(sent.map(({ slot }) => slot.refuse(undefined)));
    const { pausedMs, refused } = await first.usage();
    expect(refused).toBe(3);
    expect(pausedMs).toBeLessThanOrEqual(313);
  });

  test('widens the margin, which successes narrow again', async () => {
    const { first } = fleet(1, { rate: { max: 50, windowMs: 200 }, marginMs: 20 });
    await (await sendOne(first)).slot.refuse(0);
    expect((await first.usage()).marginMs).toBe(70);
    for (let count = 0; count < 5; count++) await (await sendOne(first)).slot.settle();
    expect((await first.usage()).marginMs).toBe(65);
  });

  test('never narrows the margin below the smallest nor widens it beyond a second', async () => {
    const { first, redis, state } = fleet(1, { rate: { max: 50, windowMs: 200 }, marginMs: 20 });
    await (await sendOne(first)).slot.settle();
    expect((await first.usage()).marginMs).toBe(20);
    await redis.hset(state, 'margin', 990);
    await (await sendOne(first)).slot.refuse(0);
    expect((await first.usage()).marginMs).toBe(1_000);
  });
});

describe('a limit that is lower than configured', () => {
  test('is learned from three refusals in a window, as what was accepted, and probed upward again', async () => {
    // Long enough that a slow machine, too, sends more within it than is permitted.
    const windowMs = 2_000;
    const { limiters, first } = fleet(2, { rate: { max: 12, windowMs } });
    let permitted = 6;
    const accepts = sliding(() => permitted, windowMs);
    const judge = (at: number) => (accepts(at) ? undefined : {});
    // What is unanswered counts as accepted, so that a slow answer or two have more learned at first: the next refusals tell.
    for (let round = 0; round < 100 && ((await first.usage()).limit ?? 12) > 8; round++) {
      await sendAll(limiters, { requests: 24, waiters: 6, judge });
    }
    const { limit: learned = 0, refused } = await first.usage();
    expect(learned).toBeLessThanOrEqual(8);
    expect(learned).toBeGreaterThanOrEqual(3);

    permitted = 100;
    await sendAll(limiters, { requests: 36, waiters: 6, judge });
    const after = await first.usage();
    expect(after.refused).toBe(refused);
    expect(after.limit).toBeGreaterThan(learned);
  });

  test('is forgotten when another one is configured', async () => {
    const { first, redis, state, connection, keys, options } = fleet(1, { rate: { max: 8, windowMs: 60_000 } });
    await sendOne(first);
    await redis.hset(state, { limit: 1, probeAt: Date.now() + 60_000, probeEvery: 60_000 });
    const changed = redisLimiter(connection(), keys, { ...options, rate: { max: 3, windowMs: 60_000 } });
    await sendOne(changed);
    expect(await changed.usage()).toMatchObject({ limit: 3, inWindow: 2 });
  });

  test('a lower configured limit holds for the next window whatever was in use before', async () => {
    const { first, connection, keys, options } = fleet(1, { rate: { max: 6, windowMs: 300 } });
    const before = await Promise.all(Array.from({ length: 6 }, () => sendOne(first)));
    await Promise.all(before.map(({ slot }) => slot.settle()));
    const lower = redisLimiter(connection(), keys, { ...options, rate: { max: 2, windowMs: 300 } });
    const log = await sendAll([lower], { requests: 6, waiters: 6 });
    expect(mostWithin(times(log), 300)).toBeLessThanOrEqual(2);
  });
});
