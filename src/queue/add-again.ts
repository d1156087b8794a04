import { setTimeout as sleep } from 'node:timers/promises';
import type { JobsOptions, Queue } from 'bullmq';
import type { RedisClient } from '../redis/connection.ts';

type NewJob = { name: string; data: unknown; opts: JobsOptions & { jobId: string } };

const LOOK_EVERY_MS = 50;
/** By then the job of a worker that died has been taken over, and its new run sees the item as it is now. */
const ENDED_WITHIN_MS = 20_000;

/**
 * Adds the jobs of items that had ended and have just been made live again. Their former job may still be in the hands of a worker that has
 * recorded the end and not told the queue yet: adding would be a no-op, and the job be gone a moment later. So such are added once
 * more when they have left. A job that becomes active after we have looked began after the item was made live, and sees that.
 */
export async function addAgain(redis: RedisClient, queue: Queue, jobs: readonly NewJob[]): Promise<void> {
  const activeIds = async () => new Set(await redis.lrange(queue.toKey('active'), 0, -1));
  let active = await activeIds();
  await queue.addBulk([...jobs]);
  let ending = jobs.filter((job) => active.has(job.opts.jobId));
  for (const startedAt = Date.now(); ending.length > 0 && Date.now() - startedAt < ENDED_WITHIN_MS; ) {
    await sleep(LOOK_EVERY_MS);
    active = await activeIds();
    const left = ending.filter((job) => !active.has(job.opts.jobId));
    if (left.length > 0) await queue.addBulk(left);
    ending = ending.filter((job) => active.has(job.opts.jobId));
  }
}
