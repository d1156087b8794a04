import fc from 'fast-check';
import { expect, test } from 'vitest';
import { callbackTokens, callbackUrl } from '../../src/callbacks/token.ts';

const item = { batch: 'spring-catalog', id: 'lighthouse-1a2b3c4d5e6f' };
const tokens = callbackTokens('an API key');

test('a token names its item', () => {
  expect(tokens.read(tokens.mint(item))).toEqual(item);
});

test('every process with the same API key reads it, none with another', () => {
  expect(callbackTokens('an API key').read(tokens.mint(item))).toEqual(item);
  expect(callbackTokens('another key').read(tokens.mint(item))).toBeUndefined();
});

test('a changed, cut or foreign token names nothing', () => {
  const token = tokens.mint(item);
  const [name = '', mac = ''] = token.split('.');
  const other = tokens.mint({ ...item, id: 'teapot-000000000000' });
  for (const forged of [
    '',
    '.',
    name,
    `${name}.`,
    `.${mac}`,
    `${other.split('.')[0]}.${mac}`,
    `${token}.`,
    `${token}A`,
  ]) {
    expect(tokens.read(forged)).toBeUndefined();
  }
});

test('no text that we did not mint is read', () => {
  fc.assert(fc.property(fc.string(), fc.string(), (name, mac) => tokens.read(`${name}.${mac}`) === undefined));
});

test('it holds nothing that a URL would have to escape', () => {
  expect(tokens.mint(item)).toMatch(/^[\w-]+\.[\w-]{32}$/);
});

test('the provider calls below the public address, which may have a path', () => {
  expect(callbackUrl('https://flux.example.org/', 't')).toBe('https://flux.example.org/callbacks/t');
  expect(callbackUrl('https://example.org/flux', 't')).toBe('https://example.org/flux/callbacks/t');
});
