import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { redisFaults } from '../../src/fleet/faults.ts';
import { keysOf } from '../../src/redis/keys.ts';

/** Two processes of a fleet whose clock the test turns. */
async function twoProcesses() {
  const redis = new Redis(inject('redisUrl'));
  onTestFinished(() => redis.disconnect());
  const keys = keysOf(`test:${randomUUID()}`);
  const clock = { at: 1_000_000, now: () => clock.at };
  const [one, other] = [redisFaults(redis, keys, clock), redisFaults(redis, keys, clock)];
  const until = (messages: readonly string[]) =>
    vi.waitFor(async () => expect((await other.current()).map(({ message }) => message)).toEqual(messages));
  return { redis, keys, clock, one, other, until };
}

test('a fault is known with what was said last, since it was met first, until a success clears it', async () => {
  const { clock, one, other, until } = await twoProcesses();
  one.port.note('archive-unreachable', 'refused');
  await until(['refused']);
  clock.at += 30_000;
  one.port.note('archive-unreachable', 'reset');
  await until(['reset']);
  expect(await other.current()).toEqual([
    { kind: 'archive-unreachable', message: 'reset', since: 1_000_000, last: 1_030_000 },
  ]);
  one.port.clear('archive-unreachable');
  await until([]);
});

test('a success in another process clears it too', async () => {
  const { one, other, until } = await twoProcesses();
  one.port.note('poll-unanswered', 'reset');
  await until(['reset']);
  other.port.clear('poll-unanswered');
  await until([]);
});

test('a fault that nobody has met for minutes is not waited for any more, and begins anew when it is met again', async () => {
  const { clock, one, other, until } = await twoProcesses();
  one.port.note('archive-full', 'no space');
  await until(['no space']);
  clock.at += 120_000;
  await until([]);
  one.port.note('archive-full', 'no space');
  await until(['no space']);
  expect((await other.current())[0]).toMatchObject({ since: 1_120_000 });
});

test('what another version has noted there is passed over', async () => {
  const { redis, keys, other } = await twoProcesses();
  await redis.hset(keys.faults, { 'moon-away': '{}', 'archive-full': 'no JSON', toString: '{}' });
  expect(await other.current()).toEqual([]);
});
