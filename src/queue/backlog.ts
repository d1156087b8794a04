import type { Job } from 'bullmq';
import { type Finished, finishedSchema, type Submitted, submittedSchema } from '../items/item.ts';
import { nextDeadline } from '../items/sources.ts';
import { isParkedFor } from './parked.ts';
import type { Queues, Stage } from './queues.ts';
import { STAGES } from './queues.ts';

/** So many jobs of each state are looked at; those of the archive queue are sorted by deadline, so those at risk come first. */
const MOST_LOOKED_AT = 500;
/** Of submit jobs: their state is in the counts of the batches, and only whether something is wrong matters here. */
const FEW = 20;
/** So long before the original URL dies an item that is not archived yet is at risk of needing the stored copy. */
const ORIGIN_RISK_MS = 2 * 60_000;
/** And of being lost, so long before the stored copy dies, and after half of its life at the earliest. */
const STORED_RISK_MS = 24 * 3_600_000;

/**
 * Finished items that are not archived: whose original URL dies soon, whose original URL has died while they waited, and whose stored
 * copy dies soon.
 */
export type AtRisk = { origin: number; outlived: number; stored: number };

/** Milliseconds; null where no job waits. */
export type Waiting = {
  /** Of the job that waits longest: to run, or to run again after something went wrong. */
  oldestMs: number | null;
  /** Of the job that waits longest and could run at once. */
  lateMs: number | null;
};

/** What the jobs themselves tell of what waits. */
export type Backlog = {
  waiting: Record<Stage, Waiting>;
  atRisk: AtRisk;
  /** When running tasks were submitted; the oldest and the newest are null while none runs. */
  tasks: { oldestAt: number | null; newestAt: number | null; startedAt: readonly number[] };
  /** The models of what is under way. */
  models: readonly string[];
  /** So many were looked at. */
  jobs: number;
};

type Look = { stage: Stage; ready: Job[]; delayed: Job[]; active: Job[] };

/** `now`: by the clock that deadlines are set by. */
export async function readBacklog(queues: Queues, now: number): Promise<Backlog> {
  const looks = await Promise.all(STAGES.map((stage) => lookAt(queues, stage)));
  const [submit, poll, archive, finish] = looks.map((look) => waitingIn(look, Date.now()));
  const none: Waiting = { oldestMs: null, lateMs: null };
  const jobsOf = (wanted: Stage) =>
    looks.flatMap(({ stage, ready, delayed, active }) => (stage === wanted ? [...active, ...ready, ...delayed] : []));
  const running = jobsOf('poll').flatMap(submittedOf);
  const finished = jobsOf('archive').flatMap(finishedOf);
  const submittedAt = running.map((task) => task.submittedAt);
  return {
    waiting: { submit: submit ?? none, poll: poll ?? none, archive: archive ?? none, finish: finish ?? none },
    atRisk: riskOf(finished, now),
    tasks: {
      oldestAt: submittedAt.length === 0 ? null : Math.min(...submittedAt),
      newestAt: submittedAt.length === 0 ? null : Math.max(...submittedAt),
      startedAt: submittedAt,
    },
    jobs: STAGES.reduce((sum, stage) => sum + jobsOf(stage).length, 0),
    models: [...new Set([...running, ...finished].map((item) => item.request.model))],
  };
}

/** When the first of the images dies that wait to be archived; undefined when none waits. What has died elsewhere counts by its copy. */
export async function firstDeadline({ byStage }: Queues, now: number): Promise<number | undefined> {
  const jobs: (Job | undefined)[] = await byStage.archive.getJobs(['prioritized'], 0, MOST_LOOKED_AT - 1, true);
  const deadlines = jobs.flatMap((job) => (job ? finishedOf(job) : [])).map((item) => nextDeadline(item, now));
  return deadlines.length === 0 ? undefined : Math.min(...deadlines);
}

async function lookAt(queues: Queues, stage: Stage): Promise<Look> {
  const most = stage === 'submit' ? FEW : MOST_LOOKED_AT;
  const jobsIn = async (state: 'waiting' | 'prioritized' | 'delayed' | 'active'): Promise<Job[]> => {
    const found: (Job | undefined)[][] = await Promise.all(
      queues.of(stage).map((queue) => queue.getJobs([state], 0, most - 1, true)),
    );
    // A job that ends between the listing and the reading is undefined, whatever the type says.
    return found.flat().filter((job) => job !== undefined);
  };
  const [waiting, prioritized, delayed, active] = await Promise.all([
    jobsIn('waiting'),
    jobsIn('prioritized'),
    jobsIn('delayed'),
    jobsIn('active'),
  ]);
  return { stage, ready: [...waiting, ...prioritized], delayed, active };
}

/**
 * Of waiting jobs the time is known when they were added or ran last: a little before they were to run again. A delayed job whose time
 * is past could run too: for any worker to be there. A delayed poll is as it should be; any other delayed job met something that is
 * waited for, and has waited since it was added. Parked ones wait for a person, who is told otherwise.
 */
function waitingIn({ stage, ready, delayed, active }: Look, now: number): Waiting {
  const ranAt = ({ timestamp, processedOn = 0 }: Job) => Math.max(timestamp, processedOn);
  // A poll that a worker has taken waits there for its slot of the limit; the request itself is a matter of moments.
  const held = stage === 'poll' ? active : [];
  const due = delayed.map((job) => ranAt(job) + job.delay);
  const late = [...ready.map(ranAt), ...held.map(ranAt), ...due].map((at) => now - at).filter((age) => age > 0);
  const retries = stage === 'poll' ? [] : delayed.filter((job) => !isParkedFor(job.delay));
  const again = [...retries, ...(stage === 'archive' ? ready : [])].map(({ timestamp }) => now - timestamp);
  return { lateMs: longest(late), oldestMs: longest([...late, ...again]) };
}

function longest(ages: readonly number[]): number | null {
  return ages.length === 0 ? null : Math.round(Math.max(0, ...ages));
}

function riskOf(items: readonly Finished[], now: number): AtRisk {
  const diesSoon = (item: Finished) =>
    nextDeadline(item, now) === item.originDiesAt && item.originDiesAt - now < ORIGIN_RISK_MS;
  return {
    origin: items.filter(diesSoon).length,
    outlived: items.filter((item) => item.originUrl !== undefined && item.originDiesAt <= now).length,
    stored: items.filter((item) => isSoonLost(item, now)).length,
  };
}

/** Whether its last copy dies soon: that of the original host, where the provider keeps no other. */
function isSoonLost(
  { completedAt, originDiesAt, storedUrl, storedDiesAt, sources = [] }: Finished,
  now: number,
): boolean {
  const isKept = storedUrl !== undefined || sources.some(({ kind }) => kind !== 'origin');
  if (!isKept) return originDiesAt - now < ORIGIN_RISK_MS;
  return storedDiesAt - now < Math.min(STORED_RISK_MS, (storedDiesAt - completedAt) / 2);
}

function finishedOf(job: Job<unknown>): Finished[] {
  const parsed = finishedSchema.safeParse(job.data);
  return parsed.success ? [parsed.data] : [];
}

function submittedOf(job: Job<unknown>): Submitted[] {
  const parsed = submittedSchema.safeParse(job.data);
  return parsed.success ? [parsed.data] : [];
}
