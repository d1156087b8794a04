import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FluxError } from '../../src/errors.ts';
import { backoffMs, retryRule } from '../../src/stages/retry.ts';

describe('the retry table', () => {
  test('has a rule for whatever is thrown', () => {
    const code = fc.oneof(fc.string(), fc.constantFrom('toString', '__proto__', 'constructor', 'archive-full'));
    const thrown = fc.oneof(
      fc.anything(),
      fc.string().map((message) => new Error(message)),
      code.map((named) => new FluxError(named, 'no')),
    );
    fc.assert(
      fc.property(thrown, (error) => {
        const rule = retryRule(error);
        if (rule.kind === 'wait') expect(rule.delayMs).toBeGreaterThan(0);
        else expect(rule).toEqual({ kind: 'attempt' });
      }),
    );
  });

  test('makes an item wait, without using up its attempts, for what is not its fault', () => {
    for (const code of ['archive-unreachable', 'archive-denied', 'archive-full', 'archive-corrupt']) {
      expect(retryRule(new FluxError(code, 'no')).kind).toBe('wait');
    }
  });

  test('ends an item at once whose record cannot be read', () => {
    expect(retryRule(new FluxError('record-corrupt', 'no'))).toEqual({ kind: 'end' });
  });

  test('uses up an attempt for whatever is not in the table', () => {
    for (const code of ['submit-unknown', 'nobody-knows']) {
      expect(retryRule(new FluxError(code, 'no'))).toEqual({ kind: 'attempt' });
    }
    for (const thrown of [new Error('archive-full'), 'archive-full', undefined]) {
      expect(retryRule(thrown)).toEqual({ kind: 'attempt' });
    }
  });
});

test('a backoff doubles from half a second to a minute, half of it at random', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (made, chance) => {
      const fullMs = Math.min(60_000, 500 * 2 ** Math.max(0, made - 1));
      const ms = backoffMs(made, () => chance);
      expect(ms).toBeGreaterThanOrEqual(Math.floor(fullMs / 2));
      expect(ms).toBeLessThanOrEqual(fullMs);
    }),
  );
});
