import type { Job } from 'bullmq';
import { z } from 'zod';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import type { PollNow } from '../stages/callback.ts';
import type { ItemRef } from '../stages/ports.ts';
import { promoteDelayed } from './promote-delayed.ts';
import { jobIdOf, type Queues } from './queues.ts';

/** Longer than a poll waits to be run, also while polls are paused. */
const MARK_MS = 10 * 60_000;
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

type Task = ItemRef & { taskId: string };

/** Brings an item's next poll forward, as a callback asks for it. */
export function pollNow(redis: RedisClient, keys: Keys, routes: { of(batch: string): Promise<Queues> }) {
  const markOf = (item: ItemRef) => keys.pollNow(jobIdOf(item));
  const mark = (item: ItemRef, taskId: string) => redis.set(markOf(item), taskId, 'PX', MARK_MS);
  return {
    /**
     * Has the poll of this task run at once. The mark tells that poll why it runs. A poll that is under way cannot be promoted; it looks
     * for the mark after it has delayed itself. One of the two always meets the other.
     */
    async ask(item: ItemRef, taskId: string): Promise<PollNow> {
      const jobs = await jobsOf(item, await routes.of(item.batch));
      const job = jobs.find(({ data }) => pollData.parse(data).taskId === taskId);
      if (!job) return jobs.length === 0 ? 'absent' : 'other-task';
      const isFirst = await redis.set(keys.polledAtOnce(jobIdOf(item)), 1, 'PX', AT_ONCE_EVERY_MS, 'NX');
      if (isFirst === null) return 'hurried';
      await mark(item, taskId);
      await promoteDelayed(job);
      return 'hurried';
    },
    /** For a poll that is about to be added. */
    async mark(item: ItemRef, taskId: string): Promise<void> {
      await mark(item, taskId);
    },
    /** When a poll begins: whether a callback came for its task. True once. */
    async take(task: Task): Promise<boolean> {
      return (await redis.getdel(markOf(task))) === task.taskId;
    },
    /** When a poll has delayed itself: whether a callback came meanwhile. */
    async isAsked(task: Task): Promise<boolean> {
      return (await redis.get(markOf(task))) === task.taskId;
    },
  };
}
