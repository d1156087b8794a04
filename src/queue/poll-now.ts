import type { Job } from 'bullmq';
import { z } from 'zod';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import type { PollNow } from '../stages/callback.ts';
import type { ItemRef } from '../stages/ports.ts';
import { promoteDelayed } from './promote-delayed.ts';
import { jobIdOf, type Queues } from './queues.ts';

/** Longer than any single poll takes. */
const MARK_MS = 60_000;
/** One callback, or many: an item is not polled at once more often than this, which would use up the poll limit. */
const AT_ONCE_EVERY_MS = 5_000;

const pollData = z.object({ taskId: z.string() });

/** Its polls: a former task may have run in another lane. */
async function jobsOf(item: ItemRef, queues: Queues): Promise<Job<unknown>[]> {
  const found: (Job<unknown> | undefined)[] = await Promise.all(
    queues.of('poll').map((queue) => queue.getJob(jobIdOf(item))),
  );
  return found.flatMap((job) => (job && pollData.safeParse(job.data).success ? [job] : []));
}

/** Brings an item's next poll forward, as a callback asks for it. */
export function pollNow(redis: RedisClient, keys: Keys, routes: { of(batch: string): Promise<Queues> }) {
  return {
    /**
     * Has the poll of this task run at once. A poll that is under way cannot be promoted. So a mark is left first; the poll looks
     * for it after it has delayed itself. One of the two always meets the other.
     */
    async ask(item: ItemRef, taskId: string): Promise<PollNow> {
      const jobs = await jobsOf(item, await routes.of(item.batch));
      const job = jobs.find(({ data }) => pollData.parse(data).taskId === taskId);
      if (!job) return jobs.length === 0 ? 'absent' : 'other-task';
      const mark = keys.pollNow(jobIdOf(item));
      const isFirst = await redis.set(keys.polledAtOnce(jobIdOf(item)), 1, 'PX', AT_ONCE_EVERY_MS, 'NX');
      if (isFirst === null) return 'hurried';
      await redis.set(mark, taskId, 'PX', MARK_MS);
      if (await promoteDelayed(job)) await redis.del(mark);
      return 'hurried';
    },
    /** True for one caller after a callback that met a poll under way. */
    async take(item: ItemRef): Promise<boolean> {
      return (await redis.del(keys.pollNow(jobIdOf(item)))) === 1;
    },
  };
}
