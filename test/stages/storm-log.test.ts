import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { stormLog } from '../../src/stages/storm-log.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('what happens again and again is said once with its count, then once a minute while it lasts, each kind for itself', () => {
  const said: object[] = [];
  const note = stormLog({ warn: (fields: object, message: string) => void said.push({ ...fields, message }) });
  for (let item = 1; item <= 133; item++) note('429', { item }, 'refused');
  note('silent', { item: 7 }, 'not answered');
  expect(said).toEqual([]);
  vi.advanceTimersByTime(5_000);
  expect(said.splice(0)).toEqual([
    { item: 1, count: 133, withinMs: 5_000, message: 'refused' },
    { item: 7, count: 1, withinMs: 5_000, message: 'not answered' },
  ]);
  for (let item = 200; item < 240; item++) note('429', { item }, 'refused');
  vi.advanceTimersByTime(60_000);
  expect(said.splice(0)).toEqual([{ item: 200, count: 40, withinMs: 60_000, message: 'refused' }]);
  vi.advanceTimersByTime(600_000);
  expect(said).toEqual([]);
  note('429', { item: 900 }, 'refused');
  vi.advanceTimersByTime(5_000);
  expect(said).toEqual([{ item: 900, count: 1, withinMs: 5_000, message: 'refused' }]);
});
