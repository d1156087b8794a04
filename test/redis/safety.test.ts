import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkRedis } from '../../src/redis/safety.ts';
import { startRedis } from '../services/redis.ts';

async function connectedTo(options: Parameters<typeof startRedis>[0]): Promise<Redis> {
  const server = await startRedis(options);
  onTestFinished(() => server.stop());
  const redis = new Redis(server.url);
  onTestFinished(() => void redis.disconnect());
  return redis;
}
const EVICTING = ['--maxmemory-policy', 'allkeys-lru'];

describe('checkRedis', () => {
  it('has nothing to say of a durable server that keeps its keys', async () => {
    const redis = await connectedTo({ appendonly: true });
    expect(await checkRedis(redis, { allowEviction: false })).toEqual([]);
  });

  it('refuses a server that may evict keys, unless that is allowed', async () => {
    const redis = await connectedTo({ appendonly: true, args: EVICTING });
    await expect(checkRedis(redis, { allowEviction: false })).rejects.toMatchObject({
      name: 'UsageError',
      code: 'redis-evicts',
      message: expect.stringContaining('allkeys-lru'),
    });
    expect(await checkRedis(redis, { allowEviction: true })).toEqual([expect.stringContaining('allkeys-lru')]);
  });

  it('warns when what is queued does not outlive a restart', async () => {
    const redis = await connectedTo({});
    expect(await checkRedis(redis, { allowEviction: false })).toEqual([expect.stringContaining('appendonly')]);
  });

  it('finds out where CONFIG is forbidden, and where INFO is', async () => {
    const redis = await connectedTo({ args: EVICTING });
    for (const forbidden of ['-config', '-info']) {
      await redis.call('ACL', 'SETUSER', 'default', '+@all', forbidden);
      await expect(checkRedis(redis, { allowEviction: false }), forbidden).rejects.toMatchObject({
        code: 'redis-evicts',
      });
      expect(await checkRedis(redis, { allowEviction: true }), forbidden).toHaveLength(2);
    }
  });

  it('says what it could not find out where both are forbidden', async () => {
    const redis = await connectedTo({});
    await redis.call('ACL', 'SETUSER', 'default', '+@all', '-config', '-info');
    expect(await checkRedis(redis, { allowEviction: false })).toEqual([expect.stringContaining('maxmemory-policy')]);
  });
});
