import { Job } from 'bullmq';
import { LRUCache } from 'lru-cache';
import type { PollNow } from '../stages/callback.ts';
import type { ItemRef } from '../stages/ports.ts';
import { promoteDelayed } from './promote-delayed.ts';
import { jobIdOf, type Queues } from './queues.ts';

/** A batch moves to other queues only where its manifest is enqueued for another archive or API. */
const QUEUES_KNOWN_FOR_MS = 5_000;
const MOST_BATCHES = 1_000;

/** What tells a poll that a callback came for its task, see fleet/poll-hints.ts. */
export type PollHints = {
  /** Marks the task if one of these jobs polls it, and says which one, by its place. */
  ask(
    jobId: string,
    taskId: string,
    jobKeys: readonly string[],
  ): Promise<number | Exclude<PollNow, 'hurried'> | 'again'>;
  mark(jobId: string, taskId: string): Promise<void>;
  /** True once. */
  take(jobId: string, taskId: string): Promise<boolean>;
  isMarked(jobId: string, taskId: string): Promise<boolean>;
};

type Task = ItemRef & { taskId: string };

/** Brings an item's next poll forward, as a callback asks for it. */
export function pollNow(hints: PollHints, routes: { of(batch: string): Promise<Queues> }) {
  const known = new LRUCache<string, Queues>({ max: MOST_BATCHES, ttl: QUEUES_KNOWN_FOR_MS });

  async function queuesOf(batch: string): Promise<Queues> {
    const queues = await routes.of(batch);
    known.set(batch, queues);
    return queues;
  }

  async function askIn(queues: Queues, item: ItemRef, taskId: string): Promise<PollNow> {
    const jobId = jobIdOf(item);
    // Its polls: a former task may have run in another lane.
    const polls = queues.of('poll');
    const keys = polls.map((queue) => queue.toKey(jobId));
    const marked = await hints.ask(jobId, taskId, keys);
    if (marked === 'again') return 'hurried';
    if (typeof marked !== 'number') return marked;
    const queue = polls[marked];
    if (queue) await promoteDelayed(new Job(queue, 'item', undefined, {}, jobId));
    return 'hurried';
  }

  return {
    /**
     * Has the poll of this task run at once. The mark tells that poll why it runs. A poll that is under way cannot be promoted; it looks
     * for the mark after it has delayed itself. One of the two always meets the other.
     */
    async ask(item: ItemRef, taskId: string): Promise<PollNow> {
      const before = known.get(item.batch);
      const asked = before && (await askIn(before, item, taskId));
      if (asked === 'hurried') return asked;
      const queues = await queuesOf(item.batch);
      return asked && queues === before ? asked : askIn(queues, item, taskId);
    },
    /** For a poll that is about to be added. */
    mark: (item: ItemRef, taskId: string) => hints.mark(jobIdOf(item), taskId),
    /** When a poll begins: whether a callback came for its task. True once. */
    take: (task: Task) => hints.take(jobIdOf(task), task.taskId),
    /** When a poll has delayed itself: whether a callback came meanwhile. */
    isAsked: (task: Task) => hints.isMarked(jobIdOf(task), task.taskId),
  };
}
