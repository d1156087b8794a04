import fc from 'fast-check';
import { expect, it } from 'vitest';
import { globOf } from '../../src/text/glob.ts';

const letters = fc.string({ unit: fc.constantFrom('a', 'B', '.', '🦊', '\n'), maxLength: 12 });
const globs = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '.', '🦊'), maxLength: 8 });

it('matches what the same pattern as a regular expression matches', () => {
  fc.assert(
    fc.property(globs, letters, (glob, text) => {
      const source = glob.trim().replace(/\./g, '\\.').replace(/\*+/g, '.*').replaceAll('?', '.');
      expect(globOf(glob).test(text)).toBe(new RegExp(`^${source}$`, 'isu').test(text));
    }),
    { numRuns: 2_000 },
  );
});

it('ends, however many stars there are', () => {
  expect(globOf('*a*a*a*a*a*a*a*b').test('a'.repeat(2_000))).toBe(false);
});
