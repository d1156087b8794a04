import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { firstPollAt, nextPollAt } from '../../src/stages/poll-schedule.ts';

const START = 1_800_000_000_000;
const ascending = (durations: number[]) => durations.sort((a, b) => a - b);
const durations = fc.array(fc.integer({ min: 1, max: 600_000 }), { maxLength: 100 }).map(ascending);
const elapsed = fc.integer({ min: 0, max: 3_600_000 });

describe('the time of the next poll', () => {
  test('is always in the future, whatever was learned and however old the task is', () => {
    fc.assert(
      fc.property(durations, elapsed, (known, elapsedMs) => {
        const now = START + elapsedMs;
        const at = nextPollAt({ submittedAt: START, now, durations: known });
        expect(Number.isInteger(at)).toBe(true);
        expect(at - now).toBeGreaterThanOrEqual(200);
      }),
    );
  });

  test('is never further away than the longest task known, or the pace without any knowledge', () => {
    fc.assert(
      fc.property(durations, elapsed, (known, elapsedMs) => {
        const now = START + elapsedMs;
        const at = nextPollAt({ submittedAt: START, now, durations: known });
        const longestMs = known.at(-1) ?? 0;
        expect(at - now).toBeLessThanOrEqual(Math.max(20_000, longestMs - elapsedMs));
      }),
    );
  });

  test('follows the pace that the provider calls sensible while too little is known', () => {
    const everyMs = (elapsedMs: number) =>
      nextPollAt({ submittedAt: START, now: START + elapsedMs, durations: [1, 2, 3, 4] }) - START - elapsedMs;
    expect([0, 29_999, 30_000, 119_999, 120_000, 900_000].map(everyMs)).toEqual([
      2_500, 2_500, 7_000, 7_000, 20_000, 20_000,
    ]);
  });

  test('of a task that outlives all known ones comes ever later, but not later than the pace', () => {
    const known = [1_000, 1_100, 1_200, 1_300, 1_400];
    const waits = [2_000, 10_000, 60_000, 600_000].map(
      (elapsedMs) => nextPollAt({ submittedAt: START, now: START + elapsedMs, durations: known }) - START - elapsedMs,
    );
    expect(waits).toEqual([300, 1_500, 7_000, 20_000]);
  });

  test('finds a task within four polls on average, and soon after its end', () => {
    const known = ascending(Array.from({ length: 100 }, (_, index) => 8_000 + index * 100));
    const runs = known.map((endsAfterMs) => {
      let now = firstPollAt(START, known);
      let polls = 1;
      while (now < START + endsAfterMs) {
        now = nextPollAt({ submittedAt: START, now, durations: known });
        polls += 1;
      }
      return { polls, lateMs: now - START - endsAfterMs };
    });
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(runs.map(({ polls }) => polls))).toBeLessThan(4.5);
    expect(mean(runs.map(({ lateMs }) => lateMs))).toBeLessThan(2_500);
  });
});

describe('the time of the next poll while tasks are called back', () => {
  const share = fc.double({ min: 0, max: 0.999, noNaN: true });
  const known = ascending(Array.from({ length: 300 }, (_, index) => 6_000 + index * 50));
  const firstAfterMs = (callbacks: { share?: number; lifeMs?: number }) => firstPollAt(START, known, callbacks) - START;

  test('is never sooner than without them, and is the same where none comes', () => {
    fc.assert(
      fc.property(durations, elapsed, share, (some, elapsedMs, called) => {
        const task = { submittedAt: START, now: START + elapsedMs, durations: some };
        // A wait for a task that outlived most others is bounded, whatever the longest took.
        const bound = START + elapsedMs + 30_000;
        expect(nextPollAt({ ...task, share: called })).toBeGreaterThanOrEqual(Math.min(nextPollAt(task), bound));
        expect(nextPollAt({ ...task, share: 0, lifeMs: 1_000 })).toBe(nextPollAt(task));
      }),
    );
  });

  test('follows the share: from where tasks begin to end to where nearly all have ended', () => {
    const endedBy = (afterMs: number) => known.filter((ms) => ms <= afterMs).length / known.length;
    const ended = [0, 0.5, 0.7, 0.9, 0.98].map((called) => endedBy(firstAfterMs({ share: called })));
    expect(ended.slice(0, 1).every((part) => part < 0.4)).toBe(true);
    expect([...ended].sort((a, b) => a - b)).toEqual(ended);
    expect(ended.at(-1)).toBeGreaterThanOrEqual(0.97);
  });

  test('is half a minute after tasks as a rule have ended, at the latest', () => {
    const spread = ascending(Array.from({ length: 100 }, (_, index) => 10_000 + index * 10_000));
    expect(firstPollAt(START, spread, { share: 0.98 }) - START).toBe(510_000 + 30_000);
    const now = START + 2_000_000;
    expect(nextPollAt({ submittedAt: START, now, durations: spread, share: 0.98 }) - now).toBe(30_000);
  });

  test('leaves most of the life of an image that dies soon', () => {
    const spread = ascending(Array.from({ length: 100 }, (_, index) => 10_000 + index * 10_000));
    expect(firstPollAt(START, spread, { share: 0.98, lifeMs: 60_000 }) - START).toBe(510_000 + 15_000);
  });
});

describe('the next poll is put', () => {
  const known = Array.from({ length: 100 }, (_, index) => (index + 1) * 1_000);
  const waitMs = (ageMs: number, durations: readonly number[], share = 0) =>
    nextPollAt({ submittedAt: START, now: START + ageMs, durations, share }) - START - ageMs;

  test('where a third of all tasks, and then a quarter of those that are left, should have ended', () => {
    expect(waitMs(0, known)).toBe(36_000);
    expect(waitMs(50_000, known)).toBe(13_000);
  });

  test('where the same part of those has ended that were not called for, and their callbacks have had their time', () => {
    expect(waitMs(0, known, 0.5)).toBe(52_000 + 2_600);
    expect(waitMs(50_000, known, 0.5)).toBe(20_000 + 3_500);
    const quick = known.map((ms) => ms / 20);
    expect(waitMs(0, quick, 0.5)).toBe(2_600 + 500);
  });

  test('no nearer than a twelfth of the age, however many tasks end then', () => {
    const alike = known.map(() => 60_001);
    expect(waitMs(60_000, alike)).toBe(5_000);
  });
});

test('the first poll comes near the shorter of the durations that were learned', () => {
  const known = ascending(Array.from({ length: 100 }, (_, index) => 8_000 + index * 100));
  const afterMs = firstPollAt(START, known) - START;
  expect(afterMs).toBeGreaterThanOrEqual(8_000);
  expect(afterMs).toBeLessThanOrEqual(18_000);
});
