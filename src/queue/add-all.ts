import type { JobsOptions, Queue } from 'bullmq';
import { isRedisAway } from '../redis/away.ts';
import { explained } from '../redis/explain.ts';

export type NewJob = { name: string; data: unknown; opts: JobsOptions & { jobId: string } };

/**
 * Adds jobs in one go. Where Redis refuses some of them for now, as one that is out of memory does, each is added by itself: such a
 * command is waited for on a patient connection, and fails in words for people on any other. Those that came through are there already,
 * and adding them again does nothing. Throws `redis-refused` for what no waiting helps against, as a right that was taken away.
 */
export async function addAll(queue: Queue, jobs: readonly NewJob[]): Promise<void> {
  try {
    await queue.addBulk([...jobs]);
  } catch (error) {
    if (!isRedisAway(error)) throw explained(error, 'EVALSHA');
    await Promise.all(jobs.map(({ name, data, opts }) => queue.add(name, data, opts)));
  }
}
