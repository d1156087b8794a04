import { type JobsOptions, Queue } from 'bullmq';
import type { Finished, Item, Submitted } from '../items/item.ts';
import { archivePriority, nextDeadline } from '../items/sources.ts';
import type { SubmitWay } from '../items/submit-way.ts';
import type { Clock } from '../redis/clock.ts';
import type { RedisClient } from '../redis/connection.ts';
import type { Forward, ItemRef } from '../stages/ports.ts';
import { addAgain } from './add-again.ts';
import { addAll } from './add-all.ts';
import { changePriority } from './change-priority.ts';
import { countThere } from './count-there.ts';
import { pollQueueOf } from './names.ts';
import { unpark, unparkJobs } from './parked.ts';
import { STAGES, type Stage, stageQueues } from './stage-queues.ts';

export { STAGES, type Stage };

/** Every running task has its job in one of these of the poll queue; the limiter counts them. */
const RUNNING_LISTS = ['wait', 'active', 'paused'];
const RUNNING_SORTED_SETS = ['delayed', 'prioritized'];

/** They bound what a bug of ours may cost, and nothing else: whatever is waited for uses up none. See workers/stage-worker.ts. */
const ATTEMPTS = 6;

/**
 * The id of a batch's item is unique in its batch only, and BullMQ refuses integers and colons.
 * Ended jobs leave nothing in Redis: their record is in the archive, and an item must be able to come again.
 */
const optionsOf = (jobId: string): JobsOptions & { jobId: string } => ({
  jobId,
  attempts: ATTEMPTS,
  backoff: { type: 'custom' },
  removeOnComplete: true,
  removeOnFail: true,
  stackTraceLimit: 1,
});

export const finishJobId = (batch: string) => `batch/${batch}`;

export function jobIdOf(item: ItemRef): string {
  return `${item.batch}/${item.id}`;
}

/**
 * The queues of a route: one for each stage, and for submits one for each vendor and one for what either may make. Adding a job that is there already, in whatever
 * state, is a no-op (bullmq-facts: jobId). `suffix`: what their names end in.
 */
export function openQueues(redis: RedisClient, prefix: string, clock: Clock = Date, suffix = '') {
  const open = (name: string) => {
    const queue = new Queue(name + suffix, { connection: redis, prefix });
    // Errors of the connection arrive here besides being thrown by the call that met them.
    queue.on('error', () => {});
    return queue;
  };
  const { byStage: queues, bySubmit, submits, polls, of, all, named, pollOf } = stageQueues(open);
  const submitJobs = (items: readonly Item[]) =>
    items.map((item) => {
      const opts = { ...optionsOf(jobIdOf(item)), priority: item.priority };
      return { name: 'item', data: item, opts };
    });
  const pollJobs = (items: readonly Submitted[]) =>
    items.map((item) => ({ name: 'item', data: item, opts: optionsOf(jobIdOf(item)) }));

  return {
    forward: forwardTo({ submitOf: submits.of, pollOf, archive: queues.archive }, clock),
    submitAll: (items: readonly Item[]) => submits.split(items, (queue, own) => addAll(queue, submitJobs(own))),
    pollAll: (items: readonly Submitted[]) => polls.split(items, (queue, own) => addAll(queue, pollJobs(own))),
    /** The same for items that had ended and are live again. */
    submitAgain: (items: readonly Item[]) =>
      submits.split(items, (queue, own) => addAgain(redis, queue, submitJobs(own))),
    pollAgain: (items: readonly Submitted[]) =>
      polls.split(items, (queue, own) => addAgain(redis, queue, pollJobs(own))),
    /** No worker begins a submit job. Waiting jobs cost nothing meanwhile. */
    pauseSubmits: () => submits.each((queue) => queue.pause()),
    resumeSubmits: () => submits.each((queue) => queue.resume()),
    /** Promotes the parked submit jobs of these items. Returns how many. */
    unpark: (isWanted: (batch: string, item: string) => boolean) =>
      submits.sum((queue) => unpark(redis, queue, isWanted, Date.now())),
    unparkItems: (items: readonly ItemRef[]) =>
      submits.sum((queue) => unparkJobs(redis, queue, items.map(jobIdOf), Date.now())),
    /** Gives the submit jobs of these items another priority, wherever they wait. */
    changePriority: (items: readonly ItemRef[], change: (former: number) => number) =>
      submits.each((queue) => changePriority(queue, items.map(jobIdOf), change)),
    async finish(batch: string): Promise<void> {
      await queues.finish.add('batch', { batch }, optionsOf(finishJobId(batch)));
    },
    /** Whether the index of a batch is being written, or about to be. */
    async isFinishing(batch: string): Promise<boolean> {
      return (await queues.finish.getJobState(finishJobId(batch))) !== 'unknown';
    },
    /** Jobs of each queue by BullMQ's states. */
    async depths(): Promise<Record<Stage, Record<string, number>>> {
      const [submit, poll, archive, finish] = await Promise.all([
        submits.depths(),
        polls.depths(),
        queues.archive.getJobCounts(),
        queues.finish.getJobCounts(),
      ]);
      return { submit, poll, archive, finish };
    },
    /** BullMQ's own objects, for what looks at queues and not at items: of a stage the one that all others came after. */
    byStage: queues,
    /** Where a vendor's items wait to be submitted, or those that either may make. */
    submitsOf: (way: SubmitWay): Queue => bySubmit[way],
    /** How many of these items wait there, or are just being submitted. */
    countSubmits: (way: SubmitWay, items: readonly ItemRef[]) => countThere(redis, bySubmit[way], items.map(jobIdOf)),
    /** `of`: all of a stage; `all`: all of them, `named`: by their names; `pollOf`: where a lane's tasks wait to be asked for. */
    ...{ of, all, named, pollOf },
    /** These lanes have queues, or will have some. */
    learn(lanes: readonly string[]): void {
      for (const lane of lanes) pollOf({ lane });
    },
    async close(): Promise<void> {
      await Promise.all(all().map((queue) => queue.close()));
    },
  };
}
export type Queues = ReturnType<typeof openQueues>;

type ForwardQueues = { submitOf(item: Item): Queue; pollOf(item: Submitted): Queue; archive: Queue };

function forwardTo(queues: ForwardQueues, clock: Clock): Forward {
  return {
    async submit(item) {
      await queues.submitOf(item).add('item', item, {
        ...optionsOf(jobIdOf(item)),
        priority: item.priority,
      });
    },
    async poll(item, atMs) {
      const delay = Math.max(0, atMs - clock.now());
      await queues.pollOf(item).add('item', item, { ...optionsOf(jobIdOf(item)), delay });
    },
    async archive(item: Finished) {
      const priority = archivePriority(nextDeadline(item, clock.now()));
      await queues.archive.add('item', item, { ...optionsOf(jobIdOf(item)), priority });
    },
  };
}

/** Keys of a lane's poll queues with these suffixes that hold one member for each task running in it. */
export function runningKeysOf(
  prefix: string,
  suffixes: readonly string[],
  lane?: string,
): { lists: string[]; sortedSets: string[] } {
  const keysOf = (names: readonly string[]) =>
    suffixes.flatMap((suffix) => names.map((name) => `${prefix}:${pollQueueOf(lane)}${suffix}:${name}`));
  return { lists: keysOf(RUNNING_LISTS), sortedSets: keysOf(RUNNING_SORTED_SETS) };
}
