import type { Queue } from 'bullmq';
import type { RedisClient } from '../redis/connection.ts';

/** How many of these jobs a queue has, in whatever state. Jobs that end leave nothing behind. */
export async function countThere(redis: RedisClient, queue: Queue, jobIds: readonly string[]): Promise<number> {
  if (jobIds.length === 0) return 0;
  return redis.exists(...jobIds.map((id) => queue.toKey(id)));
}
