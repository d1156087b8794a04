import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test } from 'vitest';
import type { Finished } from '../../src/items/item.ts';
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
    ...{ taskId: name, submittedAt: now, giveUpAt: now, recorded: true, completedAt: now, discoveredAt: now },
    ...{ originUrl: 'https://a.b/c', originDiesAt: now + originInMs, storedDiesAt: now + storedInMs },
  });
  await queues.forward.archive(finished('fresh', 600_000));
  await queues.forward.archive(finished('dying', 60_000));
  await queues.forward.archive(finished('late', -1));
  await queues.forward.archive(finished('last', -1, DAY_MS / 2));
  expect((await readBacklog(queues, now)).atRisk).toEqual({ origin: 1, outlived: 2, stored: 1 });
  await queues.byStage.archive.obliterate({ force: true });
});
