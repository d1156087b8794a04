import { expect, test } from 'vitest';
import { epochMs, finiteNumber, jsonTextOf, parseJson, webUrl, withQuote } from '../../src/provider/answer.ts';
import { answer } from './answers.ts';

test.each([
  ['https://a.example/x.png', 'https://a.example/x.png'],
  ['HTTP://a.example/x.png', 'HTTP://a.example/x.png'],
  [' https://a.example/x.png\n', 'https://a.example/x.png'],
])('%j is a URL', (value, url) => expect(webUrl(value)).toBe(url));

test.each([
  'ftp://a.example/x',
  'see https://a.example/x',
  'https://',
  'a.example/x',
  '',
  null,
  7,
  { url: 'https://a.example' },
])('%j is none', (value) => expect(webUrl(value)).toBeUndefined());

test('a URL may have 8,192 characters', () => {
  const longest = `https://a.example/${'x'.repeat(8_192 - 18)}`;
  expect(webUrl(longest)).toBe(longest);
  expect(webUrl(`${longest}x`)).toBeUndefined();
});

test.each([
  [7, 7],
  ['7', 7],
  [' 7.5 ', 7.5],
  [0, 0],
  ['-1', -1],
])('%j is a number', (value, number) => expect(finiteNumber(value)).toBe(number));

test.each([Number.NaN, Number.POSITIVE_INFINITY, 'Infinity', '', '  ', 'seven', null, [], true])(
  '%j is none',
  (value) => expect(finiteNumber(value)).toBeUndefined(),
);

const TEN = Date.UTC(2025, 5, 12, 10);

test.each([
  ['2025-06-12T10:00', TEN],
  [' 2025-06-12 10:00:00 ', TEN],
  ['2025-06-12T12:00:00+0200', TEN],
  ['2025-06-12T10:00:00z', TEN],
  [Date.UTC(2020) + 1, Date.UTC(2020) + 1],
  [Date.UTC(2200) - 1, Date.UTC(2200) - 1],
])('%j is a time', (value, time) => expect(epochMs(value)).toBe(time));

test.each([
  Date.UTC(2020),
  Date.UTC(2200),
  '2025-06-12',
  'on 2025-06-12T10:00:00Z',
  '2025-06-12T10',
  '2025-06-12T10:0',
  '2025-13-12T10:00:00Z',
  '2025-06-12T10:00:00Z or so',
  { at: '2025-06-12T10:00:00Z' },
  null,
])('%j is none', (value) => expect(epochMs(value)).toBeUndefined());

test('a mark of byte order and blanks are no part of JSON, and text that is cut off is none', () => {
  expect(jsonTextOf(answer('\uFEFF {"a":1}\n'))).toBe('{"a":1}');
  expect(parseJson('{"a":1}')).toEqual({ a: 1 });
  expect(parseJson('{"a":')).toBeUndefined();
});

test('a message quotes what was said, where anything was', () => {
  expect(withQuote('no task', answer('busy'))).toBe('no task: busy');
  expect(withQuote('no task', { ...answer('key=secret'), said: 'key=…' })).toBe('no task: key=…');
  expect(withQuote('no task', answer(''))).toBe('no task');
});
