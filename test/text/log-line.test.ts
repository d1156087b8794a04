import { expect, test } from 'vitest';
import { textOfLogLine } from '../../src/text/log-line.ts';

const line = (fields: object) =>
  textOfLogLine(JSON.stringify({ level: 40, time: 0, pid: 1, ...fields, msg: 'not had' }));

test('a log line reads as time, level, message and fields', () => {
  expect(line({ batch: 'spring', count: 3, reason: 'no answer = none' })).toBe(
    '1970-01-01T00:00:00.000Z warn  not had batch=spring count=3 reason="no answer = none"\n',
  );
});

test('an error is told by its message, with the stack below', () => {
  const err = { type: 'Error', message: 'broken', stack: 'Error: broken\n    at here' };
  expect(line({ err })).toBe('1970-01-01T00:00:00.000Z warn  not had error=broken\n  Error: broken\n      at here\n');
});

test('what a server answered cannot steer the terminal, nor begin a line of its own', () => {
  expect(line({ reason: 'a\u001b[2J\nb', list: ['\u0007'] })).toBe(
    '1970-01-01T00:00:00.000Z warn  not had reason="a\\u001b[2J\\nb" list=["\\u0007"]\n',
  );
});
