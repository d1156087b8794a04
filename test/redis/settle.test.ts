import { Cluster, Redis } from 'ioredis';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { isRedisAway } from '../../src/redis/away.ts';
import { type ConnectionOptions, connectRedis, type RedisClient } from '../../src/redis/connection.ts';
import { pictures, startCrew } from '../batch/crew.ts';
import { startCluster, type TestCluster } from '../services/cluster.ts';
import { startRedis } from '../services/redis.ts';

/** Of a fleet: one for each queue, two of them for submits. */
const WORKERS = 6;
const PATIENT: ConnectionOptions = { patient: true, name: 'test' };

async function ownCluster(): Promise<TestCluster> {
  const cluster = await startCluster();
  onTestFinished(() => cluster.stop());
  return cluster;
}

/** As BullMQ makes one for each worker. */
function copyOf(redis: RedisClient): RedisClient {
  const copy = redis instanceof Cluster ? redis.duplicate() : redis.duplicate();
  copy.on('error', () => {});
  return copy;
}

/** Of the connections on which workers wait for their next job. */
async function waitsAt({ nodes }: Pick<TestCluster, 'nodes'>): Promise<string[]> {
  const found = await Promise.all(
    nodes.map(async ({ url, port }) => {
      const client = new Redis(url);
      const list = String(await client.call('CLIENT', 'LIST'));
      client.disconnect();
      return list.split('\n').flatMap((line) => {
        const id = /^id=(\d+) .* cmd=bzpopmin /.exec(line)?.[1];
        return id === undefined ? [] : [`${port} ${id}`];
      });
    }),
  );
  return found.flat();
}

/** Of all workers of one fleet. */
function allWaits(cluster: Pick<TestCluster, 'nodes'>): Promise<string[]> {
  return vi.waitFor(async () => {
    const found = await waitsAt(cluster);
    expect(found).toHaveLength(WORKERS);
    return found;
  });
}

async function allGone(former: readonly string[], cluster: TestCluster): Promise<void> {
  await vi.waitFor(async () => {
    const now = await waitsAt(cluster);
    expect(former.filter((wait) => now.includes(wait))).toEqual([]);
  });
}

describe('a Redis Cluster that answers and is not whole', () => {
  it('is waited for by a connect that began meanwhile', async () => {
    const cluster = await ownCluster();
    const redis = await connectRedis(cluster.url, PATIENT);
    onTestFinished(() => redis.disconnect());
    await cluster.breakUp();
    const copy = copyOf(redis);
    onTestFinished(() => copy.disconnect());
    const again = vi.fn();
    copy.on('reconnecting', again);
    const connecting = copy.connect();
    await vi.waitFor(() => expect(again).toHaveBeenCalled());
    await cluster.makeWhole();
    await connecting;
    expect(await copy.set('key', 'x')).toBe('OK');
  });

  it('is told of at the first connect, which does not wait', async () => {
    const cluster = await ownCluster();
    await cluster.breakUp();
    await expect(connectRedis(cluster.url, PATIENT)).rejects.toMatchObject({
      code: 'redis-unreachable',
      message: expect.stringContaining('its cluster is not whole'),
    });
  });

  it('is told of by a command that does not wait', async () => {
    const cluster = await ownCluster();
    const redis = await connectRedis(cluster.url, { ...PATIENT, patient: false });
    onTestFinished(() => redis.disconnect());
    await cluster.breakUp();
    const refused: unknown = await redis.set('key', 'x').catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'redis-refused', message: expect.stringContaining('CLUSTERDOWN') });
    expect(isRedisAway(refused)).toBe(true);
  });

  it('keeps no worker from its jobs once it is whole again, however long it was not', async () => {
    const cluster = await ownCluster();
    const crew = await startCrew({ redisUrl: cluster.url });
    await crew.work();
    const waits = await allWaits(cluster);
    await cluster.breakUp();
    // BullMQ gives its waits up after some seconds, and connects again.
    await allGone(waits, cluster);
    await cluster.makeWhole();
    await crew.enqueue('after', pictures(20));
    expect((await crew.ended('after')).items.archived).toBe(20);
  });

  it('keeps no worker from closing once it is whole again', async () => {
    const cluster = await ownCluster();
    const crew = await startCrew({ redisUrl: cluster.url });
    const fleet = await crew.work();
    const waits = await allWaits(cluster);
    await cluster.breakUp();
    await allGone(waits, cluster);
    const drained = fleet.drain();
    await cluster.makeWhole();
    expect(await drained).toBe(true);
  });
});

describe('a connection that was lost and waits for its next attempt', () => {
  /** Told to end while it waits. */
  const endsThen = async (redis: RedisClient, lose: () => Promise<unknown>) => {
    onTestFinished(() => redis.disconnect());
    const waiting = vi.fn();
    redis.on('reconnecting', waiting);
    await lose();
    await vi.waitFor(() => expect(waiting).toHaveBeenCalled());
    const ended = vi.fn();
    redis.on('end', ended);
    redis.disconnect();
    await vi.waitFor(() => expect(ended).toHaveBeenCalledOnce());
    await expect(redis.get('key')).rejects.toThrow('Connection is closed.');
  };

  it('ends when it is told to', async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    await endsThen(await connectRedis(server.url, PATIENT), () => server.kill());
  });

  // A cluster that is not whole connects for ever.
  it.each([
    ['disconnect', 'connecting'],
    ['disconnect', 'connect'],
    ['disconnect', 'reconnecting'],
    ['disconnect', 'refresh'],
    ['quit', 'connect'],
    ['quit', 'refresh'],
  ] as const)('ends by %s, of a cluster, at its %s', async (end, moment) => {
    const cluster = await ownCluster();
    const redis = await connectRedis(cluster.url, PATIENT);
    onTestFinished(() => redis.disconnect());
    await cluster.breakUp();
    const copy = copyOf(redis);
    const ended = vi.fn();
    copy.on('end', ended);
    copy.once(moment, () => void Promise.resolve(copy[end]()).catch(() => {}));
    const connecting = expect(copy.connect()).rejects.toThrow();
    await vi.waitFor(() => expect(ended).toHaveBeenCalled());
    await connecting;
    await vi.waitFor(() => expect(copy.status).toBe('end'));
    await expect(copy.get('key')).rejects.toThrow('Connection is closed.');
    await cluster.makeWhole();
    await copy.connect();
    expect(await copy.set('key', 'x')).toBe('OK');
    copy.disconnect();
  });

  it('keeps no worker from closing once its Redis is back', async () => {
    const crew = await startCrew();
    const fleet = await crew.work();
    const { redis } = crew;
    await allWaits({ nodes: [redis] });
    await redis.kill();
    const drained = fleet.drain();
    const { dir, port } = redis;
    const back = await startRedis({ dir, port });
    onTestFinished(() => back.stop());
    expect(await drained).toBe(true);
  });
});
