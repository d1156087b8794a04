import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRateWindow } from '../../src/simulator/rate-window.ts';

const RATE = { max: 3, windowMs: 100 };

test('a sliding window never grants more than its maximum in any span of its length', () => {
  const steps = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 80 });
  fc.assert(
    fc.property(steps, (waits) => {
      const take = createRateWindow('sliding', RATE);
      const granted: number[] = [];
      let now = 1_000;
      for (const wait of waits) {
        now += wait;
        const recent = granted.filter((at) => at > now - RATE.windowMs);
        const isGranted = take(now) === 0;
        expect(isGranted).toBe(recent.length < RATE.max);
        if (isGranted) granted.push(now);
      }
    }),
  );
});

test('a sliding window tells when the next place is free', () => {
  const take = createRateWindow('sliding', RATE);
  expect([take(0), take(10), take(20), take(30)]).toEqual([0, 0, 0, 70]);
  expect([take(99), take(100), take(100)]).toEqual([1, 0, 10]);
});

test('a fixed window lets nearly twice its maximum go around its edge', () => {
  const take = createRateWindow('fixed', RATE);
  expect([take(0), take(98), take(99), take(99)]).toEqual([0, 0, 0, 1]);
  expect([take(100), take(100), take(100), take(101)]).toEqual([0, 0, 0, 99]);
});

test('where refusals count, one who keeps knocking stays out', () => {
  for (const kind of ['sliding', 'fixed'] as const) {
    const take = createRateWindow(kind, RATE, true);
    for (const at of [0, 0, 0]) expect(take(at)).toBe(0);
    for (const at of [30, 60, 90, 120, 150, 180]) expect(take(at)).toBeGreaterThan(0);
    expect(take(300)).toBe(0);
  }
});
