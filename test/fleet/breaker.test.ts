import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { redisBatchState } from '../../src/fleet/batch-state.ts';
import { keysOf } from '../../src/redis/keys.ts';

const BATCH = 'spring';
const item = (id: string) => ({ batch: BATCH, id });

/** A state with these items claimed, each by a holder of its own name. */
async function openState(...ids: string[]) {
  const redis = new Redis(inject('redisUrl'));
  onTestFinished(() => redis.disconnect());
  const keys = keysOf(`test:${randomUUID()}`);
  const state = redisBatchState(redis, keys, async () => {});
  await state.intake.open(BATCH, { archive: '/archive', api: 'http://127.0.0.1', digest: 'digest' });
  await state.intake.admit(
    BATCH,
    ids.map((id) => ({ id, was: undefined, to: 'queued' })),
  );
  for (const id of ids) await state.claim(item(id), `holder of ${id}`);
  return {
    state,
    redis,
    keys,
    confirm: (id: string) => state.confirm(item(id), `holder of ${id}`, 8),
    /** As if the time until the next probe had gone by. */
    probeIsDue: () => redis.hset(keys.breaker, 'probeAt', 1),
  };
}

describe('the breaker', () => {
  test('lets nobody through when it is closed, until somebody opens it', async () => {
    const { state, confirm } = await openState('one', 'two');
    expect(await confirm('one')).toBe('go');
    await state.tripBreaker({ refusal: 'unauthorized', message: 'no' });
    expect([await confirm('one'), await confirm('two')]).toEqual(['tripped', 'tripped']);
    await state.resetBreaker();
    expect([await confirm('one'), await confirm('two')]).toEqual(['go', 'go']);
  });

  test('lets one through as its probe when that is due, also when it asks twice, and the next after twice the time', async () => {
    const { state, confirm, probeIsDue } = await openState('one', 'two', 'three');
    const probeAfterMs = 60_000;
    await state.tripBreaker({ refusal: 'maintenance', message: 'soon', probeAfterMs });
    expect(await confirm('one')).toBe('tripped');
    await probeIsDue();
    expect(await confirm('one')).toBe('probe');
    const { probeAt, since } = (await state.breaker()) ?? { probeAt: 0, since: 0 };
    expect((probeAt ?? 0) - since).toBeGreaterThanOrEqual(2 * probeAfterMs);
    expect([await confirm('two'), await confirm('one'), await confirm('two')]).toEqual(['tripped', 'probe', 'tripped']);
    await probeIsDue();
    expect(await confirm('two')).toBe('probe');
    expect([await confirm('one'), await confirm('three')]).toEqual(['tripped', 'tripped']);
  });

  test('that only a question can open lets one through each time that it is allowed', async () => {
    const { state, confirm } = await openState('one', 'two');
    await state.tripBreaker({ refusal: 'out-of-credits', message: 'top up' });
    await state.allowProbe();
    expect([await confirm('one'), await confirm('two')]).toEqual(['probe', 'tripped']);
    expect(await state.breaker()).not.toHaveProperty('probeAt');
    await state.allowProbe();
    expect([await confirm('two'), await confirm('one')]).toEqual(['probe', 'tripped']);
  });

  test('keeps its first reason, but for what a probe learns', async () => {
    const { state } = await openState();
    await state.tripBreaker({ refusal: 'maintenance', message: 'soon', probeAfterMs: 1_000 });
    await state.tripBreaker({ refusal: 'unauthorized', message: 'late answer' });
    expect(await state.breaker()).toMatchObject({ refusal: 'maintenance', message: 'soon' });
    await state.tripBreaker({ refusal: 'out-of-credits', message: 'news', byProbe: true });
    expect(await state.breaker()).toMatchObject({ refusal: 'out-of-credits', message: 'news' });
    expect(await state.breaker()).not.toHaveProperty('probeAt');
  });

  test('of an API out of reach lets its waits grow to half a minute, and no further', async () => {
    const { state, redis, keys, confirm, probeIsDue } = await openState('one', 'two', 'three');
    await state.tripBreaker({ refusal: 'unreachable', message: 'no', probeAfterMs: 10_000, longestWaitMs: 30_000 });
    const waits = [await redis.hget(keys.breaker, 'wait')];
    for (const id of ['one', 'two', 'three']) {
      await probeIsDue();
      expect(await confirm(id)).toBe('probe');
      waits.push(await redis.hget(keys.breaker, 'wait'));
    }
    expect(waits).toEqual(['20000', '30000', '30000', '30000']);
  });

  test('is not made by allowing a probe where there is none', async () => {
    const { state } = await openState();
    await state.allowProbe();
    expect(await state.breaker()).toBeUndefined();
  });

  test('does not cost an item its reservation: it may ask again', async () => {
    const { state, confirm } = await openState('one');
    await state.tripBreaker({ refusal: 'maintenance', message: 'soon' });
    await confirm('one');
    expect((await state.counts(BATCH))?.unsettled).toBe(0);
  });
});

test('unknown outcomes are counted with the submits of the last minute, from the opening of the breaker on', async () => {
  const { state, confirm } = await openState('one', 'two', 'three');
  for (const id of ['one', 'two', 'three']) await confirm(id);
  await confirm('three');
  expect(await state.noteUnknown()).toEqual({ unknown: 1, submits: 3 });
  expect(await state.noteUnknown()).toEqual({ unknown: 2, submits: 3 });
  // Submits whose answers were waited for over more than a minute.
  await state.noteUnknown();
  expect(await state.noteUnknown()).toEqual({ unknown: 4, submits: 4 });
  await state.resetBreaker();
  expect(await state.noteUnknown()).toEqual({ unknown: 1, submits: 1 });
});
