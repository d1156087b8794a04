import { Job, type Queue } from 'bullmq';
import type { RedisClient } from '../redis/connection.ts';
import { PARKED_MS } from '../stages/ports.ts';
import { promoteDelayed } from './promote-delayed.ts';

const PAGE = 1_000;
/** BullMQ scores delayed jobs by their time in milliseconds times this. */
const SCORE_OF_MS = 0x1000;

/** A shorter delay is a backoff: such a job waits for no person. */
const LEAST_PARKED_MS = PARKED_MS / 24;

export function isParkedFor(delayMs: number): boolean {
  return delayMs >= LEAST_PARKED_MS;
}

const leastScoreAt = (now: number) => (now + LEAST_PARKED_MS) * SCORE_OF_MS;

/** Promotes those of these jobs that were parked. Returns how many. */
export async function unparkJobs(
  redis: RedisClient,
  queue: Queue,
  jobIds: readonly string[],
  now: number,
): Promise<number> {
  if (jobIds.length === 0) return 0;
  const scores = await redis.zmscore(queue.toKey('delayed'), ...jobIds);
  const parked = jobIds.filter((_, index) => Number(scores[index] ?? 0) >= leastScoreAt(now));
  return (await Promise.all(parked.map((id) => promote(queue, id)))).filter(Boolean).length;
}

/** Promotes the jobs of these items that were parked. Returns how many. */
export async function unpark(
  redis: RedisClient,
  queue: Queue,
  isWanted: (batch: string, item: string) => boolean,
  now: number,
): Promise<number> {
  const leastScore = leastScoreAt(now);
  let sum = 0;
  let cursor = '0';
  do {
    const [next, flat] = await redis.zscan(queue.toKey('delayed'), cursor, 'COUNT', PAGE);
    cursor = next;
    const ids: string[] = [];
    for (let index = 0; index + 1 < flat.length; index += 2) {
      const id = flat[index] ?? '';
      const [batch = '', item = ''] = id.split('/');
      if (Number(flat[index + 1]) >= leastScore && isWanted(batch, item)) ids.push(id);
    }
    const promoted = await Promise.all(ids.map((id) => promote(queue, id)));
    sum += promoted.filter(Boolean).length;
  } while (cursor !== '0');
  return sum;
}

/** Without reading the job, of which only the id matters here. */
function promote(queue: Queue, id: string): Promise<boolean> {
  return promoteDelayed(new Job(queue, 'item', undefined, {}, id));
}
