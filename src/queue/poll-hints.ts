import type { Job } from 'bullmq';
import { z } from 'zod';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import type { Hurried } from '../stages/callback.ts';
import type { ItemRef } from '../stages/ports.ts';
import { promoteDelayed } from './promote-delayed.ts';
import { jobIdOf, type Queues } from './queues.ts';

/** Longer than any single poll takes. */
const MARK_MS = 60_000;

const pollData = z.object({ taskId: z.string() });

/** The ways of a callback's hint to an item's poll. */
export function pollHints(redis: RedisClient, keys: Keys, queues: Queues) {
  return {
    /**
     * Has the poll of this task run at once. A poll that is under way cannot be promoted, so a mark is left first, which it takes
     * up when it has delayed itself: one of the two always meets the other.
     */
    async hurry(item: ItemRef, taskId: string): Promise<Hurried> {
      const job: Job<unknown> | undefined = await queues.byStage.poll.getJob(jobIdOf(item));
      const data = pollData.safeParse(job?.data);
      if (!job || !data.success) return 'absent';
      if (data.data.taskId !== taskId) return 'other-task';
      const mark = keys.hint(jobIdOf(item));
      await redis.set(mark, taskId, 'PX', MARK_MS);
      if (await promoteDelayed(job)) await redis.del(mark);
      return 'hurried';
    },
    /** True for one caller after a hint that met a poll under way. */
    async take(item: ItemRef): Promise<boolean> {
      return (await redis.del(keys.hint(jobIdOf(item)))) === 1;
    },
  };
}
