import { randomUUID } from 'node:crypto';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { redisHeartbeats } from '../../src/fleet/heartbeats.ts';
import { connectRedis } from '../../src/redis/connection.ts';
import { keysOf } from '../../src/redis/keys.ts';

async function openHeartbeats() {
  const redis = await connectRedis(inject('redisUrl'), { patient: false, name: 'test' });
  onTestFinished(() => redis.disconnect());
  const keys = keysOf(`{${randomUUID()}}`);
  return { heartbeats: redisHeartbeats(redis, keys), redis, keys };
}
const worker = (id: string) => ({
  id,
  host: 'here',
  pid: 1,
  stages: ['submit'],
  startedAt: 1_000,
  version: '0.1.0',
  draining: false,
});

describe('heartbeats', () => {
  it('show each worker once, with what it told last', async () => {
    const { heartbeats } = await openHeartbeats();
    await heartbeats.beat(worker('a'));
    await heartbeats.beat(worker('b'));
    await heartbeats.beat({ ...worker('a'), draining: true });
    expect(await heartbeats.live()).toEqual([{ ...worker('a'), draining: true }, worker('b')]);
  });

  it('end with the worker that leaves', async () => {
    const { heartbeats } = await openHeartbeats();
    await heartbeats.beat(worker('a'));
    await heartbeats.leave('a');
    expect(await heartbeats.live()).toEqual([]);
  });

  it('of a worker that was silent for nine seconds are forgotten', async () => {
    const { heartbeats, redis, keys } = await openHeartbeats();
    await heartbeats.beat(worker('a'));
    expect(await heartbeats.live()).toHaveLength(1);
    await redis.zincrby(keys.workers, -9_000, 'a');
    expect(await heartbeats.live()).toEqual([]);
    expect(await redis.hlen(keys.workerFacts)).toBe(0);
  });

  it('of a worker of another version that tells something else are passed over', async () => {
    const { heartbeats, redis, keys } = await openHeartbeats();
    await heartbeats.beat(worker('a'));
    await redis.hset(keys.workerFacts, { odd: '{"id":"odd"}' });
    expect(await heartbeats.live()).toEqual([worker('a')]);
  });
});
