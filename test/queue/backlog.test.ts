import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import type { Finished, Submitted } from '../../src/items/item.ts';
import { finishedOf } from '../../src/items/sources.ts';
import { readBacklog } from '../../src/queue/backlog.ts';
import { openQueues } from '../../src/queue/queues.ts';
import { itemNamed } from '../stages/rig.ts';

const DAY_MS = 86_400_000;

test('images that wait are at risk by what dies of theirs', async () => {
  const redis = new Redis(inject('redisUrl'), { maxRetriesPerRequest: null });
  onTestFinished(() => redis.disconnect());
  const queues = openQueues(redis, `{test:${randomUUID()}}`);
  onTestFinished(() => queues.close());
  const now = Date.now();
  const finished = (name: string, originInMs: number, storedInMs = 14 * DAY_MS): Finished => ({
    ...itemNamed(name),
    ...{ taskId: name, submittedAt: now, giveUpAt: now, recorded: true, discoveredAt: now },
    completedAt: now + storedInMs - 14 * DAY_MS,
    ...{ originUrl: 'https://a.b/c', originDiesAt: now + originInMs },
    ...{ storedUrl: 'https://d.e/f', storedDiesAt: now + storedInMs },
  });
  await queues.forward.archive(finished('fresh', 600_000));
  await queues.forward.archive(finished('dying', 60_000));
  await queues.forward.archive(finished('late', -1));
  await queues.forward.archive(finished('last', -1, DAY_MS / 2));
  expect((await readBacklog(queues, now)).atRisk).toEqual({ origin: 1, outlived: 2, stored: 1 });
  await queues.byStage.archive.obliterate({ force: true });
});

test('an image of which the provider keeps no copy is at risk of being lost with its first URL, and not before', async () => {
  const redis = new Redis(inject('redisUrl'), { maxRetriesPerRequest: null });
  onTestFinished(() => redis.disconnect());
  const queues = openQueues(redis, `{test:${randomUUID()}}`);
  onTestFinished(() => queues.close());
  const now = Date.now();
  const task = (name: string): Submitted => ({
    ...itemNamed(name),
    ...{ taskId: name, submittedAt: now, giveUpAt: now, recorded: true },
  });
  const ended = (name: string, lifeMs: number | undefined, kind: 'origin' | 'stored', agoMs = 0) =>
    finishedOf(task(name), {
      sources: [{ kind, url: 'https://a.b/c', ...(lifeMs !== undefined && { lifeMs }) }],
      ...{ completedAt: now - agoMs, discoveredAt: now },
    });
  // As at BFL: ten minutes, and nothing else.
  await queues.forward.archive(ended('fresh', 600_000, 'origin'));
  await queues.forward.archive(ended('dying', 600_000, 'origin', 540_000));
  // A copy whose life nobody states.
  await queues.forward.archive(ended('undated', undefined, 'stored'));
  expect((await readBacklog(queues, now)).atRisk).toEqual({ origin: 1, outlived: 0, stored: 1 });
  await queues.byStage.archive.obliterate({ force: true });
});

test('a poll that waits for its slot in the hands of a worker is late, and an image that is being archived is not', async () => {
  const redis = new Redis(inject('redisUrl'), { maxRetriesPerRequest: null });
  onTestFinished(() => redis.disconnect());
  const prefix = `{test:${randomUUID()}}`;
  const queues = openQueues(redis, prefix);
  const now = Date.now();
  const submitted: Submitted = {
    ...itemNamed('asked'),
    taskId: 'asked',
    submittedAt: now,
    giveUpAt: now,
    recorded: true,
  };
  const finished: Finished = {
    ...{ ...submitted, ...itemNamed('shown'), completedAt: now, discoveredAt: now },
    ...{ originUrl: 'https://a.b/c', originDiesAt: now + DAY_MS, storedDiesAt: now + DAY_MS },
  };
  await queues.forward.poll(submitted, now);
  await queues.forward.archive(finished);
  const leaving = new AbortController();
  const workers = (['poll', 'archive'] as const).map((stage) => {
    const hold = async () => void (await once(leaving.signal, 'abort'));
    return new Worker(queues.byStage[stage].name, hold, { connection: redis, prefix });
  });
  onTestFinished(async () => {
    leaving.abort();
    await Promise.all(workers.map((worker) => worker.close()));
    await queues.close();
  });
  await vi.waitFor(async () => {
    const { waiting } = await readBacklog(queues, now);
    expect(waiting.poll.lateMs).toBeGreaterThan(50);
    expect(await queues.byStage.archive.getActiveCount()).toBe(1);
    expect(waiting.archive.lateMs).toBeNull();
  });
});
