import { expect, test } from 'vitest';
import { isBehind } from '../../src/diagnosis/archive-lag.ts';

const minute = 60_000;

test('archiving is behind when what waits takes longer, at the pace of late, than the first of it lives', () => {
  // One a second for a minute.
  const pace = { landed: 60, landedMs: minute };
  expect(isBehind({ ...pace, waiting: 301, diesInMs: 5 * minute })).toBe(true);
  expect(isBehind({ ...pace, waiting: 299, diesInMs: 5 * minute })).toBe(false);
  expect(isBehind({ ...pace, waiting: 100_000, diesInMs: 14 * 24 * 60 * minute })).toBe(false);
});

test('a few that wait, and a pace that nobody knows, hold nothing up', () => {
  expect(isBehind({ landed: 1, landedMs: minute, waiting: 31, diesInMs: 1_000 })).toBe(false);
  expect(isBehind({ landed: 0, landedMs: 0, waiting: 1_000, diesInMs: 1_000 })).toBe(false);
});

test('what has died already leaves no time', () => {
  expect(isBehind({ landed: 60, landedMs: minute, waiting: 32, diesInMs: -1 })).toBe(true);
});
