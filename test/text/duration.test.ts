import { expect, test } from 'vitest';
import { formatDuration, formatRate, parseDuration, parseRate } from '../../src/text/duration.ts';

test.each([
  ['500ms', 500],
  ['10s', 10_000],
  ['1.5m', 90_000],
  ['2h', 7_200_000],
  ['14d', 1_209_600_000],
])('a duration of %s is %i ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(['10', '10 s', '-1s', 's', '', '1e3s', '10sec'])(
  '"%s" is no duration, and the error shows what is',
  (text) => {
    expect(() => parseDuration(text)).toThrow(`Expected a duration such as 500ms, 10s, 20m, 2h or 14d, got "${text}"`);
  },
);

test.each([
  ['20/10s', { max: 20, windowMs: 10_000 }],
  ['10/s', { max: 10, windowMs: 1_000 }],
  ['3/500ms', { max: 3, windowMs: 500 }],
])('a rate of %s is read', (text, rate) => {
  expect(parseRate(text)).toEqual(rate);
});

test.each(['20', '0/10s', '20/0s', '/10s', '20/10', 'x/10s', '2.5/s'])('"%s" is no rate', (text) => {
  expect(() => parseRate(text)).toThrow(/Expected a/);
});

test.each([
  [850, '850ms'],
  [12_300, '12.3s'],
  [60_000, '1m 00s'],
  [245_000, '4m 05s'],
  [4_200_000, '1h 10m'],
  [14 * 86_400_000, '14d'],
])('%i ms is shown as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test('a rate is shown as it is written', () => {
  expect(formatRate(parseRate('20/10s'))).toBe('20/10s');
});
