import { expect, it } from 'vitest';
import { suggest } from '../../src/text/suggest.ts';

const known = ['id', 'prompt', 'model', 'outputFormat', 'aspectRatio', 'inputImage', 'variants', 'rows'];

it.each([
  ['aspect_ratio', 'aspectRatio'],
  ['ASPECT-RATIO', 'aspectRatio'],
  ['ratio', 'aspectRatio'],
  ['image', 'inputImage'],
  ['promt', 'prompt'],
  ['varaints', 'variants'],
  ['row', 'rows'],
  ['colour', undefined],
  ['x', undefined],
  ['a'.repeat(1_000_000), undefined],
])('for %.20s suggests %s', (name, expected) => {
  expect(suggest(name, known)).toBe(expected);
});
