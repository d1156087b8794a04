import { expect, test } from 'vitest';
import { plain, plainJson, plural, shorten, table } from '../../src/text/terminal.ts';

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

test('a line of JSON shows no control character, and parses to the same', () => {
  const value = { prompt: 'a\u009b31m \u202e \u2028 \u007f 狐 \u001b' };
  const line = plainJson(`${JSON.stringify(value)}\n`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is searched for
  expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u202e]/);
  expect(line.endsWith('\n')).toBe(true);
  expect(JSON.parse(line)).toEqual(value);
});
