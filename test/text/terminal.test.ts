import { expect, test } from 'vitest';
import { plain, plural, shorten, table } from '../../src/text/terminal.ts';

test('control characters and direction overrides of users never reach the terminal', () => {
  expect(plain('red\u001b[31m\r\nnext\u202etxt\u009b1m')).toBe('red [31m  next txt 1m');
});

test('ordinary text of any script is left as it is', () => {
  expect(plain('Ein Fuchs, 一只狐狸, 🦊')).toBe('Ein Fuchs, 一只狐狸, 🦊');
});

test('a long text is cut visibly', () => {
  expect(shorten('abcdef', 4)).toBe('abc…');
  expect(shorten('abcd', 4)).toBe('abcd');
});

test('columns are aligned and nothing trails', () => {
  expect(
    table([
      ['a', 'long', 'x'],
      ['bbb', 'c', ''],
    ]),
  ).toEqual(['a    long  x', 'bbb  c']);
});

test('counts are grouped and named', () => {
  expect(plural(1, 'item')).toBe('1 item');
  expect(plural(1_000_000, 'item')).toBe('1,000,000 items');
});
