import { describe, expect, test } from 'vitest';
import { diagnose } from '../../src/diagnosis/diagnose.ts';
import type { Snapshot } from '../../src/diagnosis/snapshot.ts';
import { describeTimeLeft, timeLeft, workMs } from '../../src/diagnosis/time-left.ts';
import { batch, look, NONE, use } from './looked.ts';

const [empty] = [look()];
const { queues, rates } = empty;

function leftOf(counts: ReturnType<typeof batch>, changes: Partial<Snapshot> = {}) {
  const seen = look({ batches: [counts], ...changes });
  return timeLeft(counts, seen, diagnose(seen).findings);
}
const textOf = (...of: Parameters<typeof leftOf>) => describeTimeLeft(leftOf(...of));

describe('the time left is that of what takes longest', () => {
  test('the submits at their rate, the last task and its archiving', () => {
    const full = { rates: { ...rates, submit: use({ inWindow: 20 }) } };
    expect(textOf(batch({ queued: 60, submitted: 20 }), full)).toBe('~51s left');
    const learned = { rates: { ...rates, submit: use({ inWindow: 10, limit: 10 }) } };
    expect(textOf(batch({ queued: 60, submitted: 20 }), learned)).toBe('~1m 21s left');
  });

  test('the submits by when their slots come, all at once or one by one', () => {
    const left = (changes: Parameters<typeof use>[0]) =>
      textOf(batch({ queued: 30, submitted: 20 }), { rates: { ...rates, submit: use({ inWindow: 20, ...changes }) } });
    expect(left({ firstSlotMs: 4_000, lastSlotMs: 4_000 })).toBe('~35s left');
    expect(left({ firstSlotMs: 0, lastSlotMs: 9_500 })).toBe('~36s left');
  });

  test('the newest task, where all is submitted', () => {
    const tasks = { running: 20, most: 100, oldestAt: 90_000, newestAt: 95_000 };
    expect(textOf(batch({ submitted: 20 }), { tasks })).toBe('~16s left');
  });

  test('what comes to the archive, where polls or archiving are late', () => {
    const late = { queues: { ...queues, archive: { ...NONE, waiting: 60, lateMs: 5_000, oldestMs: 5_000 } } };
    const paces = { spring: { count: 40, firstMs: 20_000 } };
    expect(textOf(batch({ finished: 60, archived: 40 }), { ...late, paces })).toBe('~30s left');
  });

  test('how many tasks may run at the provider', () => {
    const tasks = { running: 10, most: 10, oldestAt: 90_000, newestAt: 99_000 };
    expect(textOf(batch({ queued: 90, submitted: 10 }), { tasks })).toBe('~1m 51s left');
    const paces = { spring: { count: 20, firstMs: 20_000 } };
    expect(textOf(batch({ queued: 70, submitted: 10 }), { tasks, paces })).toBe('~1m 20s left');
  });

  test('of older batches, which go first', () => {
    const older = batch({ queued: 40 }, { batch: 'autumn' });
    const newer = batch({ queued: 40 }, { createdAt: 1 });
    expect(textOf(newer, { batches: [older, newer] })).toBe('~51s left');
    expect(textOf(older, { batches: [older, newer] })).toBe('~31s left');
  });

  test('of what the budget has room for, told of already or not', () => {
    const paid = { submits: 20, credits: 160, budget: 320 };
    expect(textOf(batch({ queued: 200, archived: 20 }, paid))).toBe('~21s left');
    // Workers hold more than there is room for: 16 wait for a slot, 2 of them with their credits reserved.
    const held = { ...paid, unsettled: 16, budget: 480 };
    expect(textOf(batch({ queued: 180, submitting: 16, archived: 20 }, held))).toBe('~31s left');
    expect(textOf(batch({ queued: 180, submitting: 16, archived: 20 }, { ...held, budget: 180 }))).toBe('~21s left');
  });
});

describe('no time left is told', () => {
  test('of what stands still, and the reason is known', () => {
    const counts = batch({ queued: 1, submitted: 1 });
    expect(leftOf({ ...counts, pausedAt: 1 })).toMatchObject({ kind: 'still', by: { kind: 'paused' } });
    expect(textOf(counts, { workers: [] })).toBe('stands still: no time left known');
    expect(textOf(batch({ submitted: 1 }, { pausedAt: 1 }))).toBe('~21s left');
    const images = [{ kind: 'images-unreachable' as const, message: '', since: 1, last: 1 }];
    expect(textOf(counts, { faults: images })).toMatch(/^~/);
    expect(textOf(batch({ finished: 1 }), { faults: images })).toMatch(/^stands still/);
  });

  test('of what has ended, and before anything tells it', () => {
    expect(leftOf(batch({ archived: 1 }))).toEqual({ kind: 'ended' });
    expect(leftOf(batch({ submitted: 3 }), { durations: null })).toEqual({ kind: 'unknown' });
    expect(leftOf(batch({ queued: 1 }, { sealed: false }))).toEqual({ kind: 'unknown' });
  });
});

test('a plan is told the same way, before anything has begun', () => {
  const planned = {
    ...{ running: 0, freeSlots: 20, rate: { max: 20, windowMs: 10_000 }, pausedMs: 0, most: 100 },
    slots: { firstMs: 10_000, lastMs: 10_000 },
    ...{ pollLimit: { max: 10, windowMs: 1_000 }, durations: { typicalMs: 10_000, longMs: 20_000 } },
  };
  expect(workMs({ ...planned, toSubmit: 100 })).toBe(60_000);
  expect(workMs({ ...planned, toSubmit: 100, most: 10 })).toBe(110_000);
  expect(workMs({ ...planned, toSubmit: 100, pollLimit: { max: 1, windowMs: 2_000 } })).toBe(200_000);
});
