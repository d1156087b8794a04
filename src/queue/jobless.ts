import { Job, type Queue } from 'bullmq';
import type { RedisClient } from '../redis/connection.ts';
import { promoteDelayed } from './promote-delayed.ts';

const OVER = ['completed', 'failed'];
const SORTED_SETS = ['delayed', 'prioritized'];
const LISTS = ['active', 'wait', 'paused'];
const PAGE = 10_000;

/** A job that nobody would ever run. `torn`: the queues that have its data, though none of their lists has its id. */
export type Jobless = { torn: readonly Queue[] };

/**
 * Finds jobs that are in none of the queues. Waiting jobs are listed once and remembered: make another for another look. What moves
 * meanwhile may be missed, so only who is found in two looks is lost.
 */
export function joblessFinder(redis: RedisClient, queues: readonly Queue[]) {
  const remembered = new Map<Queue, Promise<ReadonlySet<string>>>();
  const listedIn = (queue: Queue) => {
    const listed = remembered.get(queue) ?? idsInLists(redis, queue);
    remembered.set(queue, listed);
    return listed;
  };

  return async (jobIds: readonly string[]): Promise<Map<string, Jobless>> => {
    const found = new Map<string, Jobless>(jobIds.map((id) => [id, { torn: [] }]));
    for (const queue of queues) {
      const known = await withData(redis, queue, jobIds);
      const sorted = await inSortedSets(redis, queue, known);
      const others = known.filter((id) => !sorted.has(id));
      const listed = others.length > 0 ? await listedIn(queue) : sorted;
      for (const id of known) {
        const lost = found.get(id);
        if (sorted.has(id) || listed.has(id)) found.delete(id);
        else if (lost) found.set(id, { torn: [...lost.torn, queue] });
      }
    }
    return found;
  };
}

async function withData(redis: RedisClient, queue: Queue, jobIds: readonly string[]): Promise<string[]> {
  const pipeline = redis.pipeline();
  for (const id of jobIds) pipeline.exists(queue.toKey(id));
  const answers = (await pipeline.exec()) ?? [];
  const failure = answers.find(([error]) => error)?.[0];
  if (failure) throw failure;
  return jobIds.filter((_, index) => answers[index]?.[1] === 1);
}

async function inSortedSets(redis: RedisClient, queue: Queue, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const scores = await Promise.all(SORTED_SETS.map((part) => redis.zmscore(queue.toKey(part), ...ids)));
  return new Set(ids.filter((_, index) => scores.some((of) => of[index] !== null)));
}

/** New jobs come in at the head, where the reading begins: none of those that were there is passed by. */
async function idsInLists(redis: RedisClient, queue: Queue): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for (const part of LISTS) {
    for (let from = 0; ; from += PAGE) {
      const page = await redis.lrange(queue.toKey(part), from, from + PAGE - 1);
      for (const id of page) ids.add(id);
      if (page.length < PAGE) break;
    }
  }
  return ids;
}

/** `putBack`: puts a torn job among the delayed ones. It is run at once then. False when it was no torn job (any more). */
export async function mendTorn(
  queue: Queue,
  jobId: string,
  putBack: (queue: Queue, jobId: string) => Promise<boolean>,
): Promise<boolean> {
  if (!(await putBack(queue, jobId))) return false;
  await promoteDelayed(new Job(queue, 'item', undefined, {}, jobId));
  return true;
}

/** How many jobs there are in these queues, in whatever state. */
export async function countJobs(queues: readonly Queue[]): Promise<number> {
  const counts = await Promise.all(queues.map((queue) => queue.getJobCounts()));
  const open = counts.flatMap((one) => Object.entries(one)).filter(([state]) => !OVER.includes(state));
  return open.reduce((sum, [, count]) => sum + count, 0);
}
