import { describe, expect, test, vi } from 'vitest';
import { readCallbacksAway, redisCallbacks } from '../../src/fleet/callbacks.ts';
import type { Callbacks } from '../../src/stages/ports.ts';
import { ownRedis } from '../redis/connections.ts';

const ASKED_AT = 1_000;

function account(name = 'kie') {
  const { keys, connection } = ownRedis();
  const redis = connection();
  const onAway = vi.fn();
  // A share may be half a second old: each look is by a process of its own.
  const open = () => redisCallbacks(redis, keys, name, onAway);
  const callbacks = open();
  callbacks.asked(ASKED_AT);
  return {
    ...{ redis, keys, onAway, callbacks, open },
    shareOf: (model = 'pro') => open().share(model),
    away: async () => readCallbacksAway(redis, keys, Date.now()),
  };
}

let ends = ASKED_AT;

async function note(callbacks: Callbacks, outcomes: string, model = 'pro'): Promise<void> {
  for (const came of outcomes) {
    ends += 1;
    await callbacks.note({ model, submittedAt: ASKED_AT, endedAt: ends }, came === '1');
  }
}

describe('the share of tasks that are called back', () => {
  test('is none before any is known, and is seen by the whole fleet', async () => {
    const { callbacks, shareOf } = account();
    expect(await shareOf()).toBe(0);
    await note(callbacks, '1');
    expect(await shareOf()).toBe(1 / 2);
    await note(callbacks, '10111111');
    expect(await shareOf()).toBe(8 / 10);
  });

  test('is that of the latest fifty, by model', async () => {
    const { callbacks, shareOf } = account();
    await note(callbacks, '10'.repeat(20));
    await note(callbacks, '1'.repeat(50));
    expect(await shareOf()).toBe(50 / 51);
    expect(await shareOf('max')).toBe(0);
  });

  test('is not spoilt by tasks from before callbacks were asked for', async () => {
    const { callbacks, shareOf } = account();
    for (let times = 0; times < 20; times += 1)
      await callbacks.note({ model: 'pro', submittedAt: ASKED_AT - 1, endedAt: ASKED_AT }, false);
    await note(callbacks, '11');
    expect(await shareOf()).toBe(2 / 3);
  });

  test('is unknown after Redis was emptied, and is learned anew', async () => {
    const { callbacks, shareOf, redis, keys, open } = account();
    await note(callbacks, '1'.repeat(20));
    await redis.del(keys.callbacks('kie'));
    await note(callbacks, '1');
    expect(await shareOf()).toBe(0);
    const again = open();
    again.asked(ASKED_AT);
    await vi.waitFor(async () => expect(await redis.exists(keys.callbacks('kie'))).toBe(1));
    await note(again, '11');
    expect(await shareOf()).toBe(2 / 3);
  });
});

describe('callbacks stay away', () => {
  test.each([
    ['from the start, after ten tasks', '', 10],
    ['that all came, after two', '1'.repeat(40), 2],
    ['of which nine of ten came, after four', '1011111111'.repeat(4), 4],
    ['of which half came, after ten', '01'.repeat(20), 10],
  ])('%s', async (_, before, missed) => {
    const { callbacks, shareOf, away, onAway } = account();
    await note(callbacks, before);
    await note(callbacks, '0'.repeat(missed - 1));
    expect([await away(), onAway.mock.calls.length]).toEqual([[], 0]);
    await note(callbacks, '0');
    expect(await away()).toEqual([expect.objectContaining({ account: 'kie', since: expect.any(Number) })]);
    expect(await shareOf()).toBe(0);
    await note(callbacks, '000');
    expect(onAway).toHaveBeenCalledTimes(1);
  });

  test('not for the lost ones that are found in a row, when all others of a batch have been', async () => {
    const { callbacks, away, shareOf } = account();
    const endedAt = ends;
    await note(callbacks, '1'.repeat(40));
    for (let times = 0; times < 12; times += 1)
      await callbacks.note({ model: 'pro', submittedAt: ASKED_AT, endedAt: endedAt + times * 3 }, false);
    expect(await away()).toEqual([]);
    expect(await shareOf()).toBe(38 / 51);
  });

  test('is told with how many were missed, and when the last came', async () => {
    const { callbacks, away } = account('bfl');
    const before = Date.now();
    await note(callbacks, `${'1'.repeat(40)}00000`);
    const [told] = await away();
    expect(told).toMatchObject({ account: 'bfl', missed: 5 });
    expect(Math.abs((told?.cameAt ?? 0) - before)).toBeLessThan(60_000);
  });

  test('is over when five in a row come, and the share begins anew', async () => {
    const { callbacks, away, shareOf, onAway } = account();
    await note(callbacks, `${'1'.repeat(40)}0000`);
    await note(callbacks, '1111011110');
    expect(await away()).toHaveLength(1);
    await note(callbacks, '11111');
    expect(await away()).toEqual([]);
    expect(await shareOf()).toBe(5 / 6);
    await note(callbacks, '1'.repeat(20));
    await note(callbacks, '0000');
    expect(onAway).toHaveBeenCalledTimes(2);
  });

  test('of all models of the account at once, and of no other account', async () => {
    const { callbacks, shareOf, redis, keys, away } = account();
    const other = redisCallbacks(redis, keys, 'bfl', () => {});
    other.asked(ASKED_AT);
    await note(other, '1'.repeat(20));
    await note(callbacks, '1'.repeat(20), 'pro');
    await note(callbacks, '1'.repeat(20), 'max');
    await note(callbacks, '0000', 'max');
    expect([await shareOf('pro'), await shareOf('max')]).toEqual([0, 0]);
    expect(await redisCallbacks(redis, keys, 'bfl', () => {}).share('pro')).toBe(20 / 21);
    expect((await away()).map((one) => one.account)).toEqual(['kie']);
  });

  test('is not told any more when no task has ended for a quarter of an hour', async () => {
    const { callbacks, redis, keys } = account();
    await note(callbacks, '0'.repeat(10));
    expect(await readCallbacksAway(redis, keys, Date.now() + 16 * 60_000)).toEqual([]);
  });
});
