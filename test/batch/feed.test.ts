import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { readMembersOf } from '../../src/archive/items-member.ts';
import type { BatchCounts } from '../../src/batch/counts.ts';
import { feedBatch } from '../../src/batch/feed.ts';
import { BATCH, openRig, prompts, type Rig } from './rig.ts';

/** Small, so that few items are many windows: an item costs these tests some 30 ms of processor. */
const WINDOW = { FEED_WINDOW: '5' };

/** How many items the hash of states has, and how many jobs wait to be submitted. */
async function inRedis({ connections: { redis, keys, queues } }: Rig) {
  const { submit } = await queues.depths();
  const jobs = Object.values(submit).reduce((sum, count) => sum + count, 0);
  return { states: await redis.hlen(keys.items(BATCH)), jobs };
}

/** Looks at the counts a hundred times a second until `stop`: none may be negative, and the total stays. */
function watchCounts(rig: Rig, total: number) {
  const wrong: BatchCounts[] = [];
  let stopped = false;
  const watching = (async () => {
    while (!stopped) {
      const now = await rig.connections.state.counts(BATCH);
      if (now && (now.total !== total || Object.values(now.items).some((count) => count < 0))) wrong.push(now);
      await sleep(10);
    }
  })();
  return {
    wrong,
    async stop() {
      stopped = true;
      await watching;
    },
  };
}

describe('a batch that is larger than the window', () => {
  it('has the window in Redis, and all of it in its counts', async () => {
    const rig = await openRig({ env: WINDOW });
    expect(await rig.enqueue(await rig.manifest(prompts(40)))).toMatchObject({ items: 40, submits: 40 });
    expect(await inRedis(rig)).toEqual({ states: 5, jobs: 5 });
    expect(await rig.counts()).toMatchObject({ total: 40, items: { queued: 40 }, unfed: 35 });
  });

  it('is made whole, each item once, with counts that are right at every look', async () => {
    const rig = await openRig({ env: WINDOW });
    await rig.enqueue(await rig.manifest(prompts(50)));
    const watch = watchCounts(rig, 50);
    await Promise.all([rig.work(), rig.work()]);
    expect((await rig.ended()).items).toMatchObject({ archived: 50 });
    await watch.stop();
    expect(watch.wrong).toEqual([]);
    expect(rig.submits()).toBe(50);
    expect(rig.simulator.ledger().repeatedRequests).toEqual([]);
    const { redis, keys } = rig.connections;
    expect(await redis.exists(keys.feeds(BATCH), keys.toFeed)).toBe(0);
  });

  it('is cancelled with what is not fed, and made after all when it is enqueued again', async () => {
    const rig = await openRig({ env: WINDOW });
    const file = await rig.manifest(prompts(25));
    await rig.enqueue(file);
    const watch = watchCounts(rig, 25);
    await rig.connections.control.cancel(BATCH);
    expect(await rig.counts()).toMatchObject({ total: 25, unfed: 0, items: { queued: 0, cancelled: 25 } });
    await rig.work();
    await rig.ended();
    expect(rig.submits()).toBe(0);
    await rig.enqueue(file);
    expect((await rig.ended()).items).toMatchObject({ archived: 25, cancelled: 0 });
    await watch.stop();
    expect(watch.wrong).toEqual([]);
    expect(rig.submits()).toBe(25);
  });

  it('keeps what is not fed cancelled when a failed item of it is made again', async () => {
    const rig = await openRig({ env: WINDOW });
    await rig.enqueue(await rig.manifest(['a forbidden lamp', ...prompts(15)]));
    await rig.connections.control.pause(BATCH);
    await rig.connections.control.cancel(BATCH);
    await rig.connections.control.uncancel(BATCH);
    await rig.work();
    expect((await rig.ended()).items).toMatchObject({ cancelled: 16, queued: 0 });
    expect(rig.submits()).toBe(0);
  });

  it('is not fed while it is paused', async () => {
    const rig = await openRig({ env: WINDOW });
    await rig.enqueue(await rig.manifest(prompts(15)));
    await rig.connections.control.pause(BATCH);
    await rig.work();
    const { queues } = rig.connections;
    await vi.waitFor(async () => expect((await queues.depths()).submit.delayed).toBe(5));
    expect(await rig.counts()).toMatchObject({ unfed: 10, items: { queued: 15 } });
    await rig.connections.control.resume(BATCH);
    expect((await rig.ended()).items).toMatchObject({ archived: 15 });
  });

  it('goes on after Redis was emptied, once its manifest is enqueued again', async () => {
    const rig = await openRig({ env: { ...WINDOW, FLUX_RATE_LIMIT: '10/100ms' } });
    const file = await rig.manifest(prompts(40));
    await rig.enqueue(file);
    const fleet = await rig.work();
    await rig.until(({ items }) => items.archived > 10);
    await rig.flush();
    await fleet.drain(20_000);
    await rig.flush();
    await rig.enqueue(file);
    expect((await rig.counts()).total).toBe(40);
    await rig.work();
    expect((await rig.ended()).items).toMatchObject({ archived: 40 });
    expect(rig.simulator.ledger().repeatedRequests).toEqual([]);
  });

  it('joins an edited manifest: what is new is made, and what waits of the former one too', async () => {
    const rig = await openRig({ env: WINDOW });
    const all = prompts(35);
    await rig.enqueue(await rig.manifest(all.slice(0, 25)));
    await rig.enqueue(await rig.manifest([...all.slice(0, 12), ...all.slice(25)]));
    // Of the ids of the first manifest, items 12 to 24 are former: they have another prompt under their names.
    expect(await rig.counts()).toMatchObject({ total: 35, former: 13, items: { queued: 35 } });
    const watch = watchCounts(rig, 35);
    await rig.work();
    expect((await rig.ended()).items).toMatchObject({ archived: 35 });
    await watch.stop();
    expect(watch.wrong).toEqual([]);
    expect(await rig.counts()).toMatchObject({ former: 13 });
    expect(rig.submits()).toBe(35);
  });

  it('is enqueued twice at once, and made once', async () => {
    const rig = await openRig({ env: WINDOW });
    const file = await rig.manifest(prompts(40));
    const work = rig.work();
    await Promise.all([rig.enqueue(file), rig.enqueue(file), rig.enqueue(file)]);
    await work;
    const { items, total } = await rig.ended();
    expect({ total, archived: items.archived }).toEqual({ total: 40, archived: 40 });
    expect(rig.submits()).toBe(40);
  });

  it('leaves nothing in Redis when it is forgotten after a cancel', async () => {
    const rig = await openRig({ env: WINDOW });
    await rig.enqueue(await rig.manifest(prompts(15)));
    await rig.connections.control.cancel(BATCH);
    await rig.work();
    await rig.ended();
    await vi.waitFor(async () => expect(await rig.connections.state.erase(BATCH)).toBe(true));
    const left = await rig.connections.redis.keys('*:spring*');
    expect(left.filter((key) => !key.includes('{flux-batch}:submit'))).toEqual([]);
  });
});

describe('priorities of what is not fed', () => {
  it('those that go first are fed first, wherever they stand in the manifest', async () => {
    const rig = await openRig({ env: { ...WINDOW, FLUX_RATE_LIMIT: '1/10ms' } });
    const jobs = prompts(15).map((prompt, index) => ({ id: `item-${index}`, prompt, priority: index < 10 ? 2 : 1 }));
    await rig.enqueue(await rig.manifestOf(jobs));
    await rig.connections.control.pause(BATCH);
    expect(await rig.counts()).toMatchObject({ unfed: 10 });
    await rig.connections.control.resume(BATCH);
    const order: string[] = [];
    await rig.work({
      concurrency: { submit: 1 },
      change: ({ provider, ...ports }) => ({
        ...ports,
        provider: {
          ...provider,
          submit(request, options) {
            order.push(request.prompt);
            return provider.submit(request, options);
          },
        },
      }),
    });
    await rig.ended();
    const place = (index: number) => order.indexOf(prompts(15)[index] ?? '');
    // The first five are in the queue from the beginning; of the others the last five go first.
    expect(Math.max(...Array.from({ length: 5 }, (_, at) => place(10 + at)))).toBeLessThan(
      Math.min(...Array.from({ length: 5 }, (_, at) => place(5 + at))),
    );
  });

  it('a batch that is enqueued already gets another, fed or not', async () => {
    const rig = await openRig({ env: WINDOW });
    await rig.enqueue(await rig.manifest(prompts(15)));
    expect(await rig.run(['priority', BATCH, '3', '--json'])).toMatchObject({
      code: 0,
      stdout: `${JSON.stringify({ batch: BATCH, priority: 3, waiting: 15 })}\n`,
    });
    const { queues, redis, keys, state } = rig.connections;
    const prioritized = async () =>
      (await queues.byStage.submit.getJobs(['prioritized', 'wait'])).map(({ priority }) => priority);
    expect(await prioritized()).toEqual(Array(5).fill(3_000));
    // As if the window had been used up.
    await redis.del(queues.byStage.submit.toKey('prioritized'), keys.items(BATCH));
    await redis.hset(keys.batch(BATCH), 'n:queued', 0);
    await feedBatch(BATCH, 5, {
      now: Date.now,
      feeds: state.feeds,
      states: state.intake.states,
      submitAll: queues.submitAll,
      read: readMembersOf(rig.connections.archive),
    });
    expect(await prioritized()).toEqual(Array(5).fill(3_000));
  });
});
