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

/** Promotes the jobs of these batches that were parked. Returns how many. */
export async function unpark(
  redis: RedisClient,
  queue: Queue,
  isWanted: (batch: string) => boolean,
  now: number,
): Promise<number> {
  const leastScore = (now + LEAST_PARKED_MS) * SCORE_OF_MS;
  let sum = 0;
  let cursor = '0';
  do {
    const [next, flat] = await redis.zscan(queue.toKey('delayed'), cursor, 'COUNT', PAGE);
    cursor = next;
    const ids: string[] = [];
    for (let index = 0; index + 1 < flat.length; index += 2) {
      const id = flat[index] ?? '';
      if (Number(flat[index + 1]) >= leastScore && isWanted(id.split('/')[0] ?? '')) ids.push(id);
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
