import { describe, expect, test } from 'vitest';
import { fleet, NEVER } from './limiter-crew.ts';

describe('the outlook of a limiter', () => {
  const options = { rate: { max: 2, windowMs: 60_000 }, marginMs: 0 };

  test('is nothing while a slot is free, and takes none', async () => {
    const { first } = fleet(1, options);
    for (let look = 0; look < 3; look += 1)
      expect(await first.outlook()).toEqual({ waitMs: 0, isFull: false, waiting: 0 });
    expect((await first.usage()).inWindow).toBe(0);
  });

  test('is the time at which the next slot is free, and a window where all are unanswered', async () => {
    const { first } = fleet(1, options);
    const slots = [await first.take({ leadMs: 0, signal: NEVER }), await first.take({ leadMs: 0, signal: NEVER })];
    for (const slot of slots) {
      await slot.ready();
      slot.sent();
    }
    expect((await first.outlook()).waitMs).toBe(60_000);
    for (const slot of slots) await slot.settle();
    const { waitMs } = await first.outlook();
    expect(waitMs).toBeGreaterThan(0);
    expect(waitMs).toBeLessThanOrEqual(60_000);
  });

  test('says where as many tasks run as may', async () => {
    const { first, redis, keys } = fleet(1, {
      ...options,
      running: { most: 1, lists: [], sortedSets: ['{flux-batch}:some'] },
    });
    expect((await first.outlook()).isFull).toBe(false);
    await redis.zadd('{flux-batch}:some', 1, keys.batches);
    expect((await first.outlook()).isFull).toBe(true);
    await redis.del('{flux-batch}:some');
  });
});
