import { expect, test } from 'vitest';
import { wrapped } from '../../src/text/terminal.ts';

const STATES = '  queued 0 · running 6 · archiving 0 · archived 9 · failed 1 · held 2';

test('a line that fits stays whole', () => {
  expect(wrapped(STATES, 80)).toEqual([STATES]);
});

test('in 40 columns no count is cut off, and each line has the indent of the first', () => {
  expect(wrapped(STATES, 40)).toEqual(['  queued 0 · running 6 · archiving 0', '  archived 9 · failed 1 · held 2']);
});

test('it is broken at wide spaces too, and a part that is too long has a line of its own', () => {
  expect(wrapped('spring-catalog-of-2026-with-a-long-name  ████ 62%  10/16  2.3s', 24)).toEqual([
    'spring-catalog-of-2026-with-a-long-name',
    '████ 62%  10/16  2.3s',
  ]);
});

test('a sentence is broken between its words', () => {
  expect(wrapped('  → flux-batch resume --all goes on', 22)).toEqual(['  → flux-batch resume', '  --all goes on']);
});
