import type { Queue } from 'bullmq';
import type { RedisClient } from '../redis/connection.ts';

const OVER = ['completed', 'failed'];

/** Which of these jobs are in none of the queues, in whatever state. */
export async function jobless(
  redis: RedisClient,
  queues: readonly Queue[],
  jobIds: readonly string[],
): Promise<Set<string>> {
  const pipeline = redis.pipeline();
  for (const id of jobIds) pipeline.exists(...queues.map((queue) => queue.toKey(id)));
  const answers = (await pipeline.exec()) ?? [];
  const failure = answers.find(([error]) => error)?.[0];
  if (failure) throw failure;
  return new Set(jobIds.filter((_, index) => answers[index]?.[1] === 0));
}

/** How many jobs there are in these queues, in whatever state. */
export async function countJobs(queues: readonly Queue[]): Promise<number> {
  const counts = await Promise.all(queues.map((queue) => queue.getJobCounts()));
  const open = counts.flatMap((one) => Object.entries(one)).filter(([state]) => !OVER.includes(state));
  return open.reduce((sum, [, count]) => sum + count, 0);
}
