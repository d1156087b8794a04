import { Cluster } from 'ioredis';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { isRedisAway } from '../../src/redis/away.ts';
import { connectRedis } from '../../src/redis/connection.ts';
import { watchPresence } from '../../src/redis/presence.ts';
import { redisAway } from '../../src/redis/refusals.ts';
import { startDeployment } from '../server/deployment.ts';
import { startCluster, type TestCluster } from '../services/cluster.ts';
import type { TestRedis } from '../services/redis.ts';
import { clientOf } from '../services/redis-client.ts';

const SLOTS = 16_384;
const KEY = '{flux-batch}:test';
/** ioredis by itself sends a command a thousand times before it says anything. One that is waited for is sent each second. */
const FEW = 100;

async function ownCluster(): Promise<TestCluster> {
  const cluster = await startCluster();
  onTestFinished(() => cluster.stop());
  return cluster;
}

async function connected(cluster: TestCluster, patient: boolean, onAway = () => {}) {
  const redis = await connectRedis(cluster.url, { patient, name: 'test', onAway });
  onTestFinished(() => redis.disconnect());
  return redis;
}

async function ownerOf(key: string, { nodes }: TestCluster): Promise<TestRedis> {
  const client = clientOf(nodes[0]?.url ?? '');
  const slot = Number(await client.cluster('KEYSLOT', key));
  client.disconnect();
  const owner = nodes[Math.floor((slot * nodes.length) / SLOTS)];
  if (!owner) throw new Error('Expected a node for each slot');
  return owner;
}

/** How often its nodes have refused a command with CLUSTERDOWN. */
async function refusals({ nodes }: TestCluster): Promise<number> {
  const counts = await Promise.all(
    nodes.map(async ({ url }) => {
      const client = clientOf(url);
      const stats = await client.info('errorstats');
      client.disconnect();
      return Number(/^errorstat_CLUSTERDOWN:count=(\d+)/m.exec(stats)?.[1] ?? 0);
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

describe('a Redis Cluster that answers and takes nothing (CLUSTERDOWN)', () => {
  it('is told of by the first refusal, and once, however many connections wait for it', async () => {
    const cluster = await ownCluster();
    const onAway = vi.fn();
    const redis = await connected(cluster, true, onAway);
    const copy = redis instanceof Cluster ? redis.duplicate() : redis.duplicate();
    copy.on('error', () => {});
    onTestFinished(() => copy.disconnect());
    await copy.connect();
    await cluster.breakUp();
    const answers = Promise.all([redis.set(KEY, 'x'), copy.set(KEY, 'x')]);
    await vi.waitFor(() => {
      expect(redisAway(redis)?.message).toMatch(/^CLUSTERDOWN /);
      expect(redisAway(copy)?.message).toMatch(/^CLUSTERDOWN /);
    });
    expect(await refusals(cluster)).toBeLessThan(FEW);
    await cluster.makeWhole();
    expect(await answers).toEqual(['OK', 'OK']);
    expect(onAway).toHaveBeenCalledTimes(1);
  });

  it('fails a command that does not wait by what Redis said, also in a pipeline', async () => {
    const cluster = await ownCluster();
    const redis = await connected(cluster, false);
    await cluster.breakUp();
    await expect(redis.set(KEY, 'x')).rejects.toThrow(/^Redis refuses SET: CLUSTERDOWN /);
    const answers = await redis.pipeline().get(KEY).exec();
    expect(String(answers?.[0]?.[0])).toContain('CLUSTERDOWN');
    expect(await refusals(cluster)).toBe(2);
  });

  it('is told of, too, while the node that has our keys is gone and the others do not know it yet', async () => {
    const cluster = await ownCluster();
    const [waiting, once] = [await connected(cluster, true), await connected(cluster, false)];
    const ours = await ownerOf(KEY, cluster);
    await ours.kill();
    await expect(once.set(KEY, 'x')).rejects.toSatisfy(isRedisAway);
    const answer = waiting.set(KEY, 'x');
    await vi.waitFor(() => expect(redisAway(waiting)?.message).toMatch(/CLUSTERDOWN|Connection is closed/));
    waiting.disconnect();
    await expect(answer).rejects.toThrow('Connection is closed.');
  });

  it('is one line of the log with the reason, though each node answers a PING', async () => {
    const cluster = await ownCluster();
    const redis = await connected(cluster, true);
    const lines: unknown[][] = [];
    const note = (...line: unknown[]) => void lines.push(line);
    const presence = watchPresence(redis, { error: note, info: note });
    onTestFinished(() => presence.stop());
    await cluster.breakUp();
    await vi.waitFor(() => expect(lines).toHaveLength(1));
    const reason = expect.stringContaining('CLUSTERDOWN');
    expect(lines[0]?.[0]).toMatchObject({ kind: 'redis-unreachable', reason, remedy: expect.any(String) });
    expect(presence.away()).toMatchObject({ message: reason });
    await cluster.makeWhole();
    await vi.waitFor(() => expect(lines.at(-1)?.[1]).toBe('Redis answers again'));
    expect(presence.away()).toBeNull();
  });

  it('is on every page of serve', async () => {
    const cluster = await ownCluster();
    const { url } = await startDeployment({ config: { REDIS_URL: cluster.url } });
    const page = async (path: string) => {
      const response = await fetch(`${url}${path}`);
      return `${response.status} ${await response.text()}`;
    };
    expect(await page('/readyz')).toMatch(/^200 /);
    // Who is told the reason is known from the fleet.
    expect(await page('/')).toMatch(/^200 /);
    await cluster.breakUp();
    await vi.waitFor(async () => expect(await page('/readyz')).toMatch(/^503 .*CLUSTERDOWN/));
    await vi.waitFor(async () => expect(await page('/')).toMatch(/^200 .*waiting for Redis.*CLUSTERDOWN/s));
    await vi.waitFor(async () => expect(await page('/metrics')).toMatch(/^200 .*redis-unreachable/s));
    await cluster.makeWhole();
    await vi.waitFor(async () => expect(await page('/readyz')).toMatch(/^200 /));
    await vi.waitFor(async () => expect(await page('/')).not.toContain('CLUSTERDOWN'));
  });
});
