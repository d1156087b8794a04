import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import type { RedisClient } from '../redis/connection.ts';
import { addAll, type NewJob } from './add-all.ts';

const LOOK_EVERY_MS = 50;
/** By then another worker has taken over the job of one that died, and its run sees the item as it is now. */
const ENDED_WITHIN_MS = 20_000;

/**
 * Adds the jobs of items that had ended and are live again. A worker may still have their former job: it has recorded the end and
 * not told the queue yet. Adding the job is then a no-op, and a moment later the job is gone. So such jobs are added once more when
 * they have left the workers' hands. A job that becomes active after this began after the item was made live, and sees that.
 */
export async function addAgain(redis: RedisClient, queue: Queue, jobs: readonly NewJob[]): Promise<void> {
  const activeIds = async () => new Set(await redis.lrange(queue.toKey('active'), 0, -1));
  let active = await activeIds();
  await addAll(queue, jobs);
  let ending = jobs.filter((job) => active.has(job.opts.jobId));
  for (const startedAt = Date.now(); ending.length > 0 && Date.now() - startedAt < ENDED_WITHIN_MS; ) {
    await sleep(LOOK_EVERY_MS);
    active = await activeIds();
    const left = ending.filter((job) => !active.has(job.opts.jobId));
    if (left.length > 0) await addAll(queue, left);
    ending = ending.filter((job) => active.has(job.opts.jobId));
  }
}
