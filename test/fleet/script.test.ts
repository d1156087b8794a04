import { expect, test, vi } from 'vitest';
import { defineScript } from '../../src/fleet/script.ts';
import { redisTaskClaims, taskKeys } from '../../src/fleet/task-claims.ts';
import { ownRedis } from '../redis/connections.ts';

const STATES = { a: 'queued', b: 'submitted', c: 'queued' };

test('calls of one turn go as one run, each with its own answer, and a later one by itself', async () => {
  const { keys, connection } = ownRedis();
  const redis = connection();
  await redis.hset(keys.items('spring'), STATES);
  const claim = defineScript(redis, 'batch-claim');
  const keysOf = (batch: string) => [keys.batch(batch), keys.items(batch), keys.live];
  const sent = vi.spyOn(redis, 'sendCommand');
  const answers = await Promise.all([
    claim(keysOf('spring'), ['a', 'token-a']),
    claim(keysOf('spring'), ['b', 'token-b']),
    claim(keysOf('spring'), ['c', 'token-c']),
    claim(keysOf('autumn'), ['a', 'token-a']),
  ]);
  expect(answers).toEqual(['claimed', 'submitted', 'claimed', '']);
  expect(sent).toHaveBeenCalledTimes(2);
  expect(await claim(keysOf('spring'), ['a', 'token-d'])).toBe('claimed');
  expect(await redis.hgetall(keys.items('spring'))).toEqual({
    a: 'submitting:token-d',
    b: 'submitted',
    c: 'submitting:token-c',
  });
});

test('one that fails is nothing to those that went with it', async () => {
  const { keys, connection } = ownRedis();
  const redis = connection();
  const broken = taskKeys(keys, 'broken');
  await redis.set(broken[0] ?? '', 'not a hash');
  const claim = defineScript(redis, 'task-claim');
  const key = taskKeys(keys, 'spring');
  // A time to keep it for that is no number: what came before it in the same run stays.
  const answers = await Promise.allSettled([
    claim(key, ['t1', 'a', 60]),
    claim(key, ['t2', 'b', 'soon']),
    claim(key, ['t1', 'c', 60]),
  ]);
  expect(answers).toMatchObject([{ value: 'a' }, { status: 'rejected' }, { value: 'a' }]);
  const others = await Promise.allSettled([claim(broken, ['t1', 'a', 60]), claim(broken, ['t2', 'a', 60])]);
  expect(others).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
  expect(others.map((one) => (one.status === 'rejected' ? String(one.reason) : ''))).toEqual([
    expect.stringContaining('WRONGTYPE'),
    expect.stringContaining('WRONGTYPE'),
  ]);
});

test('hundreds at once, and a server that has lost the script, change nothing', async () => {
  const { keys, connection } = ownRedis();
  const redis = connection();
  const claims = redisTaskClaims(redis, keys);
  const told = (round: number) =>
    Promise.all(
      Array.from({ length: 300 }, (_, n) => claims.claimTask({ batch: 'spring', id: `${round}-${n}` }, `t${n}`)),
    );
  const first = Array.from({ length: 300 }, (_, n) => `0-${n}`);
  expect(await told(0)).toEqual(first);
  await redis.script('FLUSH');
  expect(await told(1)).toEqual(first);
});
