import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { isRedisAway, replyCodeOf } from '../../src/redis/away.ts';
import { pictures, repeated, startCrew } from '../batch/crew.ts';
import { startCluster } from '../services/cluster.ts';
import { clientOf } from '../services/redis-client.ts';

describe('on a Redis Cluster of three nodes', () => {
  it('two fleets archive a batch through a pause, a resume and a cancel, each item paid for once', async () => {
    const cluster = await startCluster();
    onTestFinished(() => cluster.stop());
    const crew = await startCrew({ redisUrl: cluster.url, rate: '20/200ms' });
    await crew.enqueue('whole', pictures(80));
    await Promise.all([crew.work(), crew.work()]);
    await crew.until('whole', ({ items }) => items.archived > 5);
    await crew.connections.control.pause('whole');
    await crew.until('whole', ({ items }) => items.submitting + items.submitted + items.finished === 0);
    await crew.connections.control.resume('whole');
    expect((await crew.ended('whole')).items.archived).toBe(80);
    expect(crew.simulator.ledger().tasks.accepted).toBe(80);
    expect(repeated(crew.simulator)).toBe(0);

    await crew.enqueue('cut', pictures(200));
    await crew.until('cut', ({ items }) => items.archived > 5);
    await crew.connections.control.cancel('cut');
    const { items } = await crew.ended('cut');
    expect(items.archived + items.cancelled).toBe(200);
    expect(crew.simulator.ledger().tasks.accepted).toBe(80 + items.archived);
    expect(await crew.connections.heartbeats.live()).toHaveLength(2);
  });

  it('it is waited for while a node is away and the others take nothing (CLUSTERDOWN)', async () => {
    const cluster = await startCluster();
    const owner = clientOf(cluster.nodes[0]?.url ?? '');
    const slot = Number(await owner.cluster('KEYSLOT', '{flux-batch}'));
    owner.disconnect();
    const first = Math.floor((slot * cluster.nodes.length) / 16_384);
    const [ours, other] = [cluster.nodes[first], cluster.nodes[(first + 1) % cluster.nodes.length]];
    if (!ours || !other) throw new Error('Expected a cluster of several nodes');
    const goOn = () => process.kill(other.pid, 'SIGCONT');
    const direct = clientOf(ours.url);
    onTestFinished(async () => {
      direct.disconnect();
      goOn();
      await cluster.stop();
    });
    const crew = await startCrew({ redisUrl: cluster.url, rate: '20/200ms' });
    await crew.enqueue('down', pictures(60));
    await crew.work();
    await crew.until('down', ({ items }) => items.archived > 5);
    process.kill(other.pid, 'SIGSTOP');
    await vi.waitFor(async () => expect(String(await direct.cluster('INFO'))).toContain('cluster_state:fail'));
    const refused: unknown = await direct.set('{flux-batch}:test', 'x').catch((error: unknown) => error);
    expect(replyCodeOf(refused)).toBe('CLUSTERDOWN');
    expect(isRedisAway(refused)).toBe(true);
    const waiting = crew.connections.redis.set('{flux-batch}:test', 'x');
    goOn();
    expect(await waiting).toBe('OK');
    expect((await crew.ended('down')).items.archived).toBe(60);
    expect(crew.simulator.ledger().tasks.accepted).toBe(60);
  });
});
