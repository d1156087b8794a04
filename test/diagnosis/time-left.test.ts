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
    expect(textOf(batch({ queued: 60, submitted: 20 }), full)).toBe('~54s left');
    const learned = { rates: { ...rates, submit: use({ inWindow: 10, limit: 10 }) } };
    expect(textOf(batch({ queued: 60, submitted: 20 }), learned)).toBe('~1m 21s left');
  });

  test('the submits by when their slots come, all at once or one by one', () => {
    const left = (changes: Parameters<typeof use>[0]) =>
      textOf(batch({ queued: 30, submitted: 20 }), { rates: { ...rates, submit: use({ inWindow: 20, ...changes }) } });
    expect(left({ firstSlotMs: 4_000, lastSlotMs: 4_000 })).toBe('~38s left');
    expect(left({ firstSlotMs: 0, lastSlotMs: 9_500 })).toBe('~39s left');
  });

  test('the newest task, where all is submitted', () => {
    const tasks = {
      running: 20,
      most: 100,
      oldestAt: 90_000,
      newestAt: 95_000,
      startedAt: Array.from({ length: 20 }, () => 95_000),
    };
    expect(textOf(batch({ submitted: 20 }), { tasks })).toBe('~19s left');
    // The jobs were looked at before the last ten went out, which the limiter knows.
    const submit = use({ inWindow: 10, lastSlotMs: 9_000 });
    const before = { ...tasks, startedAt: tasks.startedAt.slice(10) };
    expect(textOf(batch({ submitted: 20 }), { tasks: before, rates: { ...rates, submit } })).toBe('~21s left');
    // Those of a batch that came later are not waited for.
    expect(textOf(batch({ submitted: 1 }), { tasks })).toBe('~7s left');
  });

  test('the polls at their rate, where they are late: by then each task has ended', () => {
    const startedAt = Array.from({ length: 40 }, () => 60_000);
    const tasks = { running: 40, most: 100, oldestAt: 60_000, newestAt: 60_000, startedAt };
    const poll = use({ limit: 10, windowMs: 2_000, inWindow: 10, firstSlotMs: 1_000, lastSlotMs: 1_900 });
    const late = { queues: { ...queues, poll: { ...NONE, waiting: 40, lateMs: 35_000, oldestMs: 35_000 } } };
    const paces = { spring: { count: 40, firstMs: 9_000 } };
    expect(textOf(batch({ submitted: 40, archived: 40 }), { ...late, tasks, paces, rates: { ...rates, poll } })).toBe(
      '~9s left',
    );
  });

  test('what comes to the archive, where polls or archiving are late', () => {
    const late = { queues: { ...queues, archive: { ...NONE, waiting: 60, lateMs: 5_000, oldestMs: 5_000 } } };
    const paces = { spring: { count: 40, firstMs: 20_000 } };
    expect(textOf(batch({ finished: 60, archived: 40 }), { ...late, paces })).toBe('~30s left');
  });

  test('how many tasks may run at the provider', () => {
    const startedAt = Array.from({ length: 10 }, (_, index) => 99_000 - index * 1_000);
    const tasks = { running: 10, most: 10, oldestAt: 90_000, newestAt: 99_000, startedAt };
    expect(textOf(batch({ queued: 90, submitted: 10 }), { tasks })).toBe('~2m 03s left');
  });

  test('of older batches, which go first', () => {
    const older = batch({ queued: 40 }, { batch: 'autumn' });
    const newer = batch({ queued: 40 }, { createdAt: 1 });
    expect(textOf(newer, { batches: [older, newer] })).toBe('~54s left');
    expect(textOf(older, { batches: [older, newer] })).toBe('~34s left');
  });

  test('of what the budget has room for, told of already or not', () => {
    const paid = { submits: 20, credits: 160, budget: 320 };
    expect(textOf(batch({ queued: 200, archived: 20 }, paid))).toBe('~24s left');
    // Workers hold more than there is room for: 16 wait for a slot, 2 of them with their credits reserved.
    const held = { ...paid, unsettled: 16, budget: 480 };
    expect(textOf(batch({ queued: 180, submitting: 16, archived: 20 }, held))).toBe('~34s left');
    expect(textOf(batch({ queued: 180, submitting: 16, archived: 20 }, { ...held, budget: 180 }))).toBe('~14s left');
  });
});

describe('no time left is told', () => {
  test('of what stands still, and the reason is known', () => {
    const counts = batch({ queued: 1, submitted: 1 });
    expect(leftOf({ ...counts, pausedAt: 1 })).toMatchObject({ kind: 'still', by: { kind: 'paused' } });
    expect(textOf(counts, { workers: [] })).toBe('stands still: no time left known');
    expect(textOf(batch({ submitted: 1 }, { pausedAt: 1 }))).toBe('~5s left');
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
  const slots = (max: number, windowMs: number) => ({
    ...{ free: max, rate: { max, windowMs } },
    ...{ firstMs: windowMs, lastMs: windowMs },
  });
  const planned = {
    ...{ running: [], submits: slots(20, 10_000), pausedMs: 0, most: 100, polls: slots(10, 1_000), pollsLateMs: 0 },
    durations: { typicalMs: 10_000, longMs: 20_000 },
  };
  const seconds = (changes: object) => Math.round(workMs({ ...planned, toSubmit: 100, ...changes }) / 1_000);
  // 40 s until the last window, and the longest of the twenty of it.
  expect(seconds({})).toBe(63);
  expect(seconds({ most: 10 })).toBe(122);
  expect(seconds({ polls: slots(1, 2_000) })).toBe(198);
});
