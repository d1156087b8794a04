import fc from 'fast-check';
import { expect, test } from 'vitest';
import { retryAfterMs } from '../../src/provider/retry-after.ts';

const NOW = Date.UTC(2025, 5, 12, 10, 0, 0);

test('seconds become milliseconds', () => {
  expect(retryAfterMs('7', NOW)).toBe(7_000);
  expect(retryAfterMs(' 1.5 ', NOW)).toBe(1_500);
  expect(retryAfterMs('0', NOW)).toBe(0);
});

test.each(['Thu, 12 Jun 2025 10:00:30 GMT', 'Thursday, 12-Jun-25 10:00:30 GMT', 'Thu Jun 12 10:00:30 2025'])(
  'the HTTP date %j is a time to wait for',
  (date) => expect(retryAfterMs(date, NOW)).toBe(30_000),
);

test('a date in the past means now', () => {
  expect(retryAfterMs('Thu, 12 Jun 2025 09:00:00 GMT', NOW)).toBe(0);
});

test('a long wait is cut to ten minutes', () => {
  expect(retryAfterMs('86400', NOW)).toBe(600_000);
  expect(retryAfterMs('9'.repeat(400), NOW)).toBe(600_000);
  expect(retryAfterMs('Fri, 12 Jun 2026 10:00:00 GMT', NOW)).toBe(600_000);
});

test.each([undefined, '', 'soon', '-5', '1 hour', '2025-06-12', 'Thu, 99 Foo 2025 10:00:30 GMT', '0x10', 'NaN'])(
  '%j cannot be read',
  (header) => expect(retryAfterMs(header, NOW)).toBeUndefined(),
);

test('whatever comes, the wait is within 0 and 10 minutes or there is none', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.nat().map(String),
        fc.date({ noInvalidDate: true }).map((d) => d.toUTCString()),
      ),
      (header) => {
        const waitMs = retryAfterMs(header, NOW);
        expect(waitMs === undefined || (waitMs >= 0 && waitMs <= 600_000)).toBe(true);
      },
    ),
  );
});
