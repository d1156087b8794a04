import { describe, expect, test } from 'vitest';
import { updateBreaker } from '../../src/fleet/update-breaker.ts';
import { createLogger } from '../../src/logger.ts';
import { openState } from './open-state.ts';

describe('a submit that cannot be sent', () => {
  const outcome = { kind: 'not-sent', message: 'ECONNREFUSED' } as const;

  test('as a probe is news, and waits for its time like any', async () => {
    const { state } = await openState();
    const ports = { state, settings: { unknownLimit: 5 }, log: createLogger('silent') };
    await state.tripBreaker({ refusal: 'out-of-credits', message: 'top up' });
    await updateBreaker(outcome, true, ports);
    const breaker = await state.breaker();
    expect(breaker).toMatchObject({ refusal: 'unreachable', message: 'ECONNREFUSED' });
    expect(breaker?.probeAt).toBe((breaker?.since ?? 0) + 1_000);
    await updateBreaker(outcome, true, ports);
    expect(await state.breaker()).toEqual(breaker);
  });

  test('now and then trips nothing, and a reset forgets those before', async () => {
    const { state } = await openState();
    expect([await state.noteNotSent(), await state.noteNotSent()]).toEqual([1, 2]);
    await state.resetBreaker();
    expect(await state.noteNotSent()).toBe(1);
  });
});
