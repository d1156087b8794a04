import { describe, expect, test } from 'vitest';
import { lastEndsMs, meanMs } from '../../src/diagnosis/last-task.ts';

const DURATIONS = { typicalMs: 10_000, longMs: 20_000 };
const last = (...of: Parameters<typeof lastEndsMs>) => Math.round(lastEndsMs(...of) / 100) / 10;

describe('the last of some tasks to end', () => {
  test('is typical where there is one, and longer than any the more there are', () => {
    expect(last([{ count: 1, atMs: 0 }], DURATIONS)).toBe(10);
    expect(last([{ count: 10, atMs: 0 }], DURATIONS)).toBe(18.8);
    expect(last([{ count: 100, atMs: 0 }], DURATIONS)).toBe(28.2);
    expect(last([], DURATIONS)).toBe(0);
  });

  test('has so much less left as it has run already, but never nothing', () => {
    expect(last([{ count: 1, atMs: -5_000 }], DURATIONS)).toBe(5.3);
    expect(last([{ count: 1, atMs: -20_000 }], DURATIONS)).toBe(2.8);
    expect(last([{ count: 1, atMs: -10_000_000 }], DURATIONS)).toBeGreaterThan(1);
  });

  test('has ended most likely where it was not asked for since long ago', () => {
    const old = [{ count: 10, atMs: -40_000 }];
    expect(last(old, DURATIONS)).toBeGreaterThan(5);
    expect(last(old, DURATIONS, 35_000)).toBe(0);
  });

  test('is the last of those that are yet to begin', () => {
    expect(
      last(
        [
          { count: 20, atMs: -5_000 },
          { count: 1, atMs: 60_000 },
        ],
        DURATIONS,
      ),
    ).toBe(70);
  });

  test('comes on time where tasks take equally long', () => {
    const even = { typicalMs: 5_000, longMs: 5_000 };
    expect(last([{ count: 10, atMs: 0 }], even)).toBe(5.8);
  });
});

test('tasks take longer on average than half of them', () => {
  expect(Math.round(meanMs(DURATIONS) / 100) / 10).toBe(10.9);
});
