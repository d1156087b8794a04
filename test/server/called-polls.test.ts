import { describe, expect, test, vi } from 'vitest';
import { diagnose } from '../../src/diagnosis/diagnose.ts';
import { redisCallbacks } from '../../src/fleet/callbacks.ts';
import { drawForward } from '../../src/queue/draw-forward.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { startTcpProxy } from '../faults/tcp-proxy.ts';
import { type Deployment, itemsOf, startDeployment } from './deployment.ts';

/** Tasks of about two seconds; `serve` is behind a tunnel. */
async function startCalled(simulator: SimulatorOptions = {}) {
  const deployment = await startDeployment({ simulator: { timeScale: 0.15, ...simulator } });
  const tunnel = await startTcpProxy(Number(new URL(deployment.url).port));
  deployment.connections.closers.push(() => tunnel.close());
  const address = { FLUX_CALLBACK_URL: `http://127.0.0.1:${tunnel.port}` };
  const workers = await deployment.addWorkers(undefined, address);
  let begun = 0;
  return {
    ...{ deployment, tunnel, workers, address },
    /** Polls a task that the batch took, by the provider's ledger. */
    async run(batch: string, count: number): Promise<number> {
      await deployment.enqueue(batch, itemsOf(batch, count, `a pear of ${batch}`));
      const { items } = await deployment.ended(batch);
      expect(items.archived).toBe(count);
      const log = deployment.simulator.ledger().taskLog;
      const own = log.slice(begun);
      begun = log.length;
      expect(own).toHaveLength(count);
      return own.reduce((sum, { polls }) => sum + polls, 0) / count;
    },
    shareOf: () => shareIn(deployment),
    kinds: async () => {
      const snapshot = await deployment.serving.look([]);
      return diagnose(snapshot).findings.map(({ kind }) => kind);
    },
  };
}

/** As a process sees it that has seen none before. */
function shareIn({ connections: { redis, keys } }: Deployment): Promise<number> {
  return redisCallbacks(redis, keys, 'kie', () => {}).share('flux-kontext-pro');
}

describe('while callbacks arrive', () => {
  test('a task takes hardly more than one poll, also with workers that begin anew', async () => {
    const { run, shareOf, kinds, workers, deployment, address } = await startCalled();
    await run('first', 30);
    expect(await run('second', 60)).toBeLessThan(1.5);
    expect(await shareOf()).toBeGreaterThan(0.8);
    await workers.fleet.drain();
    await deployment.addWorkers(undefined, address);
    expect(await run('third', 40)).toBeLessThan(1.5);
    expect(await kinds()).not.toContain('callbacks-away');
  });

  test('of which half are lost, the share is known, and all is found', async () => {
    const { run, shareOf } = await startCalled({ callbackLostShare: 0.5 });
    await run('first', 60);
    expect(await shareOf()).toBeGreaterThan(0.2);
    expect(await shareOf()).toBeLessThan(0.8);
  });

  test('what Redis has forgotten is learned again', async () => {
    const { run, shareOf, deployment } = await startCalled();
    await run('first', 20);
    const { redis, keys } = deployment.connections;
    await redis.del(keys.callbacks('kie'), keys.durations('flux-kontext-pro'));
    expect(await shareOf()).toBe(0);
    await run('second', 20);
    await vi.waitFor(async () => {
      await run(`again-${Date.now()}`, 5);
      expect(await shareOf()).toBeGreaterThan(0.5);
    });
  });
});

describe('callbacks stay away', () => {
  test('behind a broken tunnel: it is told, all is found by polls, and is over with the tunnel mended', async () => {
    const { run, shareOf, kinds, tunnel } = await startCalled({ sigma: 0.1 });
    await run('first', 30);
    expect(await shareOf()).toBeGreaterThan(0.8);
    tunnel.set({ kind: 'refused' });
    await run('second', 15);
    expect([await shareOf(), await kinds()]).toEqual([0, ['callbacks-away']]);
    tunnel.set({ kind: 'fair' });
    await run('third', 30);
    expect(await kinds()).toEqual([]);
    expect(await shareOf()).toBeGreaterThan(0.5);
  });

  test('when they come later than polls find tasks', async () => {
    const { run, shareOf, tunnel } = await startCalled({ timeScale: 0.05 });
    tunnel.set({ kind: 'slow', delayMs: 5_000 });
    await run('first', 20);
    expect(await shareOf()).toBe(0);
  });
});

test('polls that wait for long are drawn forward, and others are left alone', async () => {
  const { connections } = await startDeployment();
  const now = connections.clock.now();
  const waitsMs = [600_000, 30_000, 500];
  for (const [index, item] of itemsOf('spring', waitsMs.length).entries()) {
    const task = { queuedAt: now, taskId: `task-${index}`, submittedAt: now, giveUpAt: now + 900_000, recorded: true };
    await connections.queues.forward.poll({ ...item, ...task }, now + (waitsMs[index] ?? 0));
  }
  expect(await drawForward(connections.queues)).toBe(2);
  expect((await connections.queues.depths()).poll).toMatchObject({ waiting: 2, delayed: 1 });
});
