import { describe, expect, onTestFinished, test } from 'vitest';
import { offsetOf, openFleetClock } from '../../src/redis/clock.ts';
import { openClosers } from '../../src/wiring/closers.ts';
import { ownRedis } from './connections.ts';

const MINUTE_MS = 60_000;

function openClock(local: () => number) {
  const closers = openClosers();
  onTestFinished(() => closers.closeAll());
  return openFleetClock(ownRedis().connection(), closers, local);
}

describe('the clock of a fleet', () => {
  test.each([10 * MINUTE_MS, -10 * MINUTE_MS])('is that of Redis where the machine is %i ms off', async (offMs) => {
    const clock = await openClock(() => Date.now() + offMs);
    // Minutes off, or not: however long the answer of Redis took.
    expect(Math.abs(clock.now() - Date.now())).toBeLessThan(5 * MINUTE_MS);
  });

  test('is that of the machine where the two agree, so that no answer of Redis makes it jump', async () => {
    const clock = await openClock(() => 200 + Math.floor(Date.now() / 1_000) * 1_000);
    expect(clock.now() % 1_000).toBe(200);
  });

  test('is not told by an answer that waited for a lost Redis', () => {
    expect(offsetOf({ askedAt: 0, serverMs: 60_000, answeredAt: 60_000 })).toBeUndefined();
    expect(offsetOf({ askedAt: 0, serverMs: 600_010, answeredAt: 20 })).toBe(600_000);
    expect(offsetOf({ askedAt: 0, serverMs: 500, answeredAt: 20 })).toBe(0);
  });
});
