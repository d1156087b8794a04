import { expect, test } from 'vitest';
import { judgeClocks, readingOfRedis } from '../../src/doctor/check-clock.ts';

const API = { of: 'the API', aheadMs: 400 };

test('a clock that is twelve seconds off that of Redis, which status tells of, is told of by doctor, too', () => {
  expect(judgeClocks([readingOfRedis(12_000), API])).toMatchObject([
    { outcome: 'warning', what: "this machine's clock is 12s behind that of Redis" },
  ]);
});

test('a clock that is twelve seconds off the dates of a server, which are whole seconds and come late, is not', () => {
  expect(judgeClocks([readingOfRedis(3_000), { ...API, aheadMs: 12_000 }])).toMatchObject([{ outcome: 'ok' }]);
});

test('a clock that is half a minute off that of a server is told of', () => {
  expect(judgeClocks([readingOfRedis(undefined), { ...API, aheadMs: -40_000 }])).toMatchObject([
    { outcome: 'warning', what: "this machine's clock is 40s ahead of that of the API" },
  ]);
});
