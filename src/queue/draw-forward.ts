import type { Job, Queue } from 'bullmq';
import pMap from 'p-map';
import { promoteDelayed } from './promote-delayed.ts';
import type { Queues } from './queues.ts';

/** What is due sooner is left alone. */
const SOON_MS = 1_000;
const AT_ONCE = 16;
const PAGE = 500;

/** Has all polls run now that wait for long: each finds out when it should. Returns how many. */
export async function drawForward(queues: Queues): Promise<number> {
  const drawn = await pMap(queues.of('poll'), drawIn, { concurrency: 1 });
  return drawn.reduce((sum, count) => sum + count, 0);
}

async function drawIn(poll: Queue): Promise<number> {
  const waiting: Job[] = [];
  for (let from = 0; ; from += PAGE) {
    const jobs: (Job | undefined)[] = await poll.getJobs(['delayed'], from, from + PAGE - 1, true);
    // One that went on between the listing and the reading is undefined, whatever the type says.
    waiting.push(...jobs.filter((job) => job !== undefined));
    if (jobs.length < PAGE) break;
  }
  const now = Date.now();
  const late = waiting.filter((job) => (job.processedOn ?? job.timestamp) + job.delay > now + SOON_MS);
  const drawn = await pMap(late, (job) => promoteDelayed(job), { concurrency: AT_ONCE });
  return drawn.filter((isDrawn) => isDrawn).length;
}
