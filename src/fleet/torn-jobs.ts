import type { RedisClient } from '../redis/connection.ts';
import { defineScript } from './script.ts';

/** The parts of a queue's keys that hold ids of jobs: sorted sets, then lists. */
const SORTED_SETS = ['delayed', 'prioritized', 'completed', 'failed', 'waiting-children'];
const LISTS = ['active', 'wait', 'paused'];

/**
 * Puts a job back that its queue has the data of and that none of its lists has, as one that is due. False when it is no such job, or
 * when a worker has it.
 */
export type PutBack = (queue: { toKey(part: string): string }, jobId: string) => Promise<boolean>;

export function redisPutBack(redis: RedisClient): PutBack {
  const putBack = defineScript(redis, 'job-put-back');
  return async (queue, jobId) => {
    const keys = [jobId, `${jobId}:lock`, ...SORTED_SETS, ...LISTS].map((part) => queue.toKey(part));
    return (await putBack(keys, [jobId, 0])) === 1;
  };
}
