import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { isRedisAway, replyCodeOf } from '../../src/redis/away.ts';
import { connectRedis } from '../../src/redis/connection.ts';
import { LEAST_ACL } from '../../src/redis/explain.ts';
import { redisAway } from '../../src/redis/refusals.ts';
import { checkRights } from '../../src/redis/rights.ts';
import { latch, pictures, startCrew } from '../batch/crew.ts';
import { startTcpProxy } from '../faults/tcp-proxy.ts';
import { startRedis, type TestRedis } from '../services/redis.ts';

async function ownServer(): Promise<{ server: TestRedis; admin: Redis }> {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const admin = new Redis(server.url);
  onTestFinished(() => admin.disconnect());
  return { server, admin };
}

async function connected(url: string, patient: boolean, onAway = () => {}) {
  const redis = await connectRedis(url, { patient, name: 'test', onAway });
  onTestFinished(() => redis.disconnect());
  return redis;
}

/** A user with these rights, and the URL that logs in as it. */
async function userWith(rights: string, { server, admin }: { server: TestRedis; admin: Redis }): Promise<string> {
  await admin.call('ACL', 'SETUSER', 'limited', 'reset', 'on', '>secret', ...rights.split(' '));
  return `redis://limited:secret@127.0.0.1:${server.port}`;
}

describe('a Redis that answers and cannot serve', () => {
  it('is waited for by a patient connection, which tells it once and sends again', async () => {
    const { server, admin } = await ownServer();
    const onAway = vi.fn();
    const redis = await connected(server.url, true, onAway);
    await admin.config('SET', 'maxmemory', '1');
    const answers = Promise.all([redis.set('a', 'x'), redis.eval("return redis.call('SET', KEYS[1], 'y')", 1, 'b')]);
    await vi.waitFor(() => expect(redisAway(redis)?.message).toContain('OOM'));
    // What only reads is answered meanwhile.
    expect(await redis.get('a')).toBeNull();
    await admin.config('SET', 'maxmemory', '0');
    expect(await answers).toEqual(['OK', 'OK']);
    expect(await redis.mget('a', 'b')).toEqual(['x', 'y']);
    expect(onAway).toHaveBeenCalledTimes(1);
    await vi.waitFor(() => expect(redisAway(redis)).toBeUndefined());
  });

  it('is an error in words for people where nobody waits', async () => {
    const { server, admin } = await ownServer();
    const redis = await connected(server.url, false);
    await admin.config('SET', 'maxmemory', '1');
    const refused = {
      code: 'redis-refused',
      message: expect.stringMatching(/^Redis refuses SET: OOM /),
      hint: expect.stringContaining('maxmemory'),
    };
    await expect(redis.set('a', 'x')).rejects.toMatchObject(refused);
    await expect(redis.set('a', 'x')).rejects.toSatisfy(isRedisAway);
  });

  it('is waited for by a whole fleet, at its start and in the middle of a batch', async () => {
    const crew = await startCrew();
    const admin = new Redis(crew.redis.url);
    onTestFinished(() => admin.disconnect());
    await admin.config('SET', 'maxmemory', '1');
    const enqueued = crew.enqueue('full', pictures(40));
    await vi.waitFor(() => expect(redisAway(crew.connections.redis)?.message).toContain('OOM'));
    await admin.config('SET', 'maxmemory', '0');
    await enqueued;
    // Some images are let through; the others wait until Redis has refused, however slow the machine is.
    const refused = latch();
    onTestFinished(() => refused.open());
    let polled = 0;
    await crew.work({
      change: (ports) => ({
        ...ports,
        provider: {
          ...ports.provider,
          async poll(handle, options) {
            polled += 1;
            if (polled > 10) await refused.opened;
            return ports.provider.poll(handle, options);
          },
        },
      }),
    });
    await crew.until('full', ({ items }) => items.archived > 3);
    await admin.config('SET', 'maxmemory', '1');
    refused.open();
    await vi.waitFor(() => expect(redisAway(crew.connections.redis)?.message ?? 'OOM').toContain('OOM'));
    const { archived } = (await crew.counts('full')).items;
    await admin.config('SET', 'maxmemory', '0');
    expect(archived).toBeLessThan(40);
    expect((await crew.ended('full')).items.archived).toBe(40);
    expect(crew.simulator.ledger().tasks.accepted).toBe(40);
  });

  it('a primary that becomes a replica and keeps its connections is left for the new one', async () => {
    const first = await ownServer();
    await first.admin.config('SET', 'repl-diskless-sync-delay', '0');
    const second = await startRedis({ args: ['--replicaof', '127.0.0.1', String(first.server.port)] });
    onTestFinished(() => second.stop());
    const proxy = await startTcpProxy(first.server.port);
    onTestFinished(() => proxy.close());
    const crew = await startCrew({ redisUrl: `redis://127.0.0.1:${proxy.port}` });
    await vi.waitFor(async () => expect(await first.admin.info('replication')).toContain('state=online'));
    await crew.enqueue('over', pictures(40));
    await crew.work();
    await crew.until('over', ({ items }) => items.archived > 3);
    const promoted = new Redis(second.url);
    onTestFinished(() => promoted.disconnect());
    // It takes no writes until the second has all of them. What a replica never got would be found to be lost by the job check.
    await first.admin.call('FAILOVER');
    await vi.waitFor(async () => expect(await promoted.info('replication')).toContain('role:master'));
    proxy.pointTo(second.port, { keepOpen: true });
    expect((await crew.ended('over')).items.archived).toBe(40);
    expect(crew.simulator.ledger().tasks.accepted).toBe(40);
  });

  it('is recognized in what Redis 6 and transactions say of it', async () => {
    const { admin } = await ownServer();
    await admin.config('SET', 'maxmemory', '1');
    const discarded = await admin
      .multi()
      .set('a', 1)
      .exec()
      .catch((error: unknown) => error);
    expect(String(discarded)).toContain('EXECABORT');
    expect(isRedisAway(discarded)).toBe(true);
    await admin.config('SET', 'maxmemory', '0');
    // The words of Redis 6.2 for a replica that refuses a script.
    const six =
      'ERR Error running script (call to f_0): @user_script:1: -READONLY You can not write against a replica. ';
    const told = await admin.eval(`return redis.error_reply(ARGV[1])`, 0, six).catch((error: unknown) => error);
    expect(isRedisAway(told)).toBe(true);
    expect(isRedisAway(new Error('OOM'))).toBe(false);
    await admin.call('ACL', 'SETUSER', 'default', '-get');
    const denied = await admin.eval("return redis.call('GET', 'a')", 0).catch((error: unknown) => error);
    expect(replyCodeOf(denied)).toBe('NOPERM');
  });
});

describe('a Redis user', () => {
  it('with the least rights of docs/fleet.md passes the check, and BullMQ learns the version without INFO', async () => {
    const place = await ownServer();
    const redis = await connected(await userWith(LEAST_ACL, place), true);
    await checkRights(redis);
    expect(await place.admin.dbsize()).toBe(0);
    await expect(redis.config('GET', 'maxmemory')).rejects.toMatchObject({ code: 'redis-refused' });
    const queue = new Queue('q', { connection: redis, prefix: '{flux-batch}' });
    onTestFinished(() => queue.close());
    expect(await redis.info()).toMatch(/^redis_version:\d+\.\d+/);
    await queue.waitUntilReady();
  });

  it.each([
    ['-xadd', 'XADD'],
    ['-eval', 'EVAL'],
    ['-hincrby -bzpopmin', 'HINCRBY, BZPOPMIN'],
    ['-multi', 'MULTI'],
    ['resetkeys ~other:*', 'HSET, HMSET'],
  ])('with %s is a mistake that names what is refused and what to give', async (lacking, named) => {
    const place = await ownServer();
    const redis = await connected(await userWith(`${LEAST_ACL} ${lacking}`, place), false);
    await expect(checkRights(redis)).rejects.toMatchObject({
      name: 'UsageError',
      code: 'redis-denied',
      message: expect.stringContaining(`may not use ${named}`),
      hint: expect.stringContaining(LEAST_ACL),
    });
  });
});

it('a database that the server does not have is a mistake', async () => {
  const { server } = await ownServer();
  await expect(connectRedis(`${server.url}/99`, { patient: true, name: 'test' })).rejects.toMatchObject({
    name: 'UsageError',
    code: 'redis-url-invalid',
    message: expect.stringContaining('database 99'),
  });
  const redis = await connected(`${server.url}/3`, false);
  expect(await redis.client('INFO')).toContain('db=3');
});
