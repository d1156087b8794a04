import { describe, expect, it, onTestFinished } from 'vitest';
import { pictures, repeated, startCrew } from '../batch/crew.ts';
import { startCluster } from '../services/cluster.ts';

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
});
