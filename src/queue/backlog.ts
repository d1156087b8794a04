import type { Job, Queue } from 'bullmq';
import { type Finished, finishedSchema } from '../items/item.ts';
import { nextDeadline } from '../items/sources.ts';
import type { Queues, Stage } from './queues.ts';
import { STAGES } from './queues.ts';

/** So many jobs of each state are looked at; they are sorted by deadline, so those at risk come first. */
const MOST_LOOKED_AT = 500;
/** So long before the original URL dies an item that is not archived yet is at risk of needing the stored copy. */
const ORIGIN_RISK_MS = 2 * 60_000;
/** And of being lost, so long before the stored copy dies. */
const STORED_RISK_MS = 24 * 3_600_000;

/**
 * Finished items that are not archived: whose original URL dies soon, whose original URL has died while they waited, and whose stored
 * copy dies soon.
 */
export type AtRisk = { origin: number; outlived: number; stored: number };

/** Seconds since the job that has waited longest was to run, per stage; 0 when none waits. */
export async function oldestWaiting(queues: Queues, now: number): Promise<Record<Stage, number>> {
  const ages = await Promise.all(STAGES.map((stage) => oldestIn(queues.byStage[stage], now)));
  const [submit = 0, poll = 0, archive = 0, finish = 0] = ages;
  return { submit, poll, archive, finish };
}

/**
 * Of waiting jobs the time is known when they were added or ran last: a little before they were to run again. A delayed job whose
 * time is past waits too: for any worker to be there.
 */
async function oldestIn(queue: Queue, now: number): Promise<number> {
  const [waiting, prioritized, delayed] = await Promise.all([
    queue.getJobs(['waiting'], 0, 0, true),
    queue.getJobs(['prioritized'], 0, 0, true),
    queue.getJobs(['delayed'], 0, 0, true),
  ]);
  const since = [
    ...[...waiting, ...prioritized].map(({ timestamp, processedOn = 0 }) => Math.max(timestamp, processedOn)),
    // BullMQ renews `timestamp` neither: a delayed job is due its delay after it ran last.
    ...delayed.map(({ timestamp, processedOn = 0, delay }) => Math.max(timestamp, processedOn) + delay),
  ];
  return Math.max(0, ...since.map((at) => (now - at) / 1_000));
}

/** Items found finished whose image may die before it is archived. Counted to 500 in each state of their jobs. */
export async function atRisk(queues: Queues, now: number): Promise<AtRisk> {
  const states = ['active', 'prioritized', 'delayed'] as const;
  const pages = await Promise.all(
    states.map((state) => queues.byStage.archive.getJobs([state], 0, MOST_LOOKED_AT - 1, true)),
  );
  const items = pages.flat().flatMap((job) => finishedOf(job));
  const diesSoon = (item: Finished) =>
    nextDeadline(item, now) === item.originDiesAt && item.originDiesAt - now < ORIGIN_RISK_MS;
  return {
    origin: items.filter(diesSoon).length,
    outlived: items.filter((item) => item.originUrl !== undefined && item.originDiesAt <= now).length,
    stored: items.filter((item) => item.storedDiesAt - now < STORED_RISK_MS).length,
  };
}

function finishedOf(job: Job<unknown> | undefined): Finished[] {
  const parsed = finishedSchema.safeParse(job?.data);
  return parsed.success ? [parsed.data] : [];
}
