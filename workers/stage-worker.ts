import { DelayedError, type Job, MetricsTime, Worker } from 'bullmq';
import type { z } from 'zod';
import { FluxError, messageOf } from '../src/errors.ts';
import type { CounterName } from '../src/metrics/definitions.ts';
import { promoteDelayed } from '../src/queue/promote-delayed.ts';
import type { Stage } from '../src/queue/queues.ts';
import { isRedisAway } from '../src/redis/away.ts';
import type { Clock } from '../src/redis/clock.ts';
import type { RedisClient } from '../src/redis/connection.ts';
import type { Run, StageOutcome } from '../src/stages/ports.ts';
import { rememberedSchema } from '../src/stages/remembered.ts';
import { backoffMs, retryRule } from '../src/stages/retry.ts';
import { pauseWhenRefused } from './refusals.ts';
import { type Rest, restOf } from './rest.ts';

/**
 * A worker's death is noticed when its lock has run out and the next check comes, which takes 15 s at most. A lock is renewed so
 * often that 12 s of it are always left. So an outage of Redis of 10 s, and the time to connect again, lets no job run twice.
 * test/workers/takeover.test.ts holds both.
 */
const LOCK_MS = 13_000;
const RENEWAL_MS = 1_000;
const STALLED_CHECK_MS = 1_000;
/** Every stage may be run again any number of times; a low count would fail a job outside of its stage. */
const MOST_STALLS = 1_000_000;
/** Until then a worker of a newer version, which added the data that this one cannot read, may have the job. */
const UNREADABLE_MS = 60_000;
/** What kept an item from being set aside, as an archive that refuses, may be over by then. */
const SET_ASIDE_AGAIN_MS = 30_000;
const REDIS_AWAY_MS = 5_000;

export type StageWorkerOptions<Data> = {
  stage: Stage;
  /** Its name, where it is not that of the stage. */
  queue?: string;
  /** What the queue's name ends in besides. */
  suffix?: string;
  schema: z.ZodType<Data>;
  concurrency: number;
  run(data: Data, run: Run): Promise<StageOutcome>;
  /** A run threw what no rule foresees, and the job has attempts left. */
  onUnforeseen?(data: Data, error: unknown): void;
  /** The last attempt threw: set aside what the job is about. When this throws too, the job stays and comes again. */
  giveUp(data: Data, error: unknown): Promise<void>;
  /** Asked after the job was delayed: is it to run at once after all? */
  isDueNow?(data: Data): Promise<boolean>;
  /** A fault that is not the item's: the whole process may want to stop for it. */
  onTrouble(error: unknown): void;
  count(name: CounterName): void;
  /** A run brought what its job is about on to the next stage, or to its end. */
  succeeded?(stage: Stage): void;
  redis: RedisClient;
  clock: Clock;
  prefix: string;
  signal: AbortSignal;
};

/** Between BullMQ and a stage: parses the job's data, runs the stage, tells the queue its outcome. No job is ever dropped. */
export function stageWorker<Data>(options: StageWorkerOptions<Data>): Worker {
  const toldOf = new Set<string>();
  const name = (options.queue ?? options.stage) + (options.suffix ?? '');
  const worker: Worker = new Worker(name, (job, token) => processJob(job, token, toldOf, pace, options), {
    connection: options.redis,
    prefix: options.prefix,
    concurrency: options.concurrency,
    lockDuration: LOCK_MS,
    lockRenewTime: RENEWAL_MS,
    stalledInterval: STALLED_CHECK_MS,
    maxStalledCount: MOST_STALLS,
    // Counts for /metrics; without it BullMQ's totals stay 0.
    metrics: { maxDataPoints: MetricsTime.ONE_HOUR },
    settings: { backoffStrategy: (attemptsMade) => backoffMs(attemptsMade) },
  });
  const rest = restOf(worker);
  const pace = paceOf(worker, rest, options.concurrency);
  pauseWhenRefused(worker, rest, options.stage, options.onTrouble);
  return worker;
}

/** A worker that rests because every job would come to the same begins again with one alone, and goes on when that one came to more. */
function paceOf(worker: Worker, rest: Rest, concurrency: number): (outcome: StageOutcome) => void {
  return (outcome) => {
    const restMs = outcome.kind === 'later' ? outcome.restMs : undefined;
    worker.concurrency = restMs === undefined ? concurrency : 1;
    if (restMs !== undefined) rest(restMs);
  };
}

async function processJob<Data>(
  job: Job,
  token: string | undefined,
  toldOf: Set<string>,
  pace: (outcome: StageOutcome) => void,
  options: StageWorkerOptions<Data>,
): Promise<void> {
  const parsed = options.schema.safeParse(job.data);
  if (!parsed.success) return putOff(job, token, parsed.error.message, toldOf, options);
  const run: Run = {
    runs: job.attemptsStarted,
    broken: job.stalledCounter,
    remembered: rememberedSchema.parse(job.progress),
    note: (remembered) => job.updateProgress(remembered),
    signal: options.signal,
  };
  const isLast = job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
  const outcome = await settle(parsed.data, run, isLast, options);
  pace(outcome);
  switch (outcome.kind) {
    case 'done':
      return;
    case 'later':
      if (outcome.remember) await job.updateProgress(outcome.remember);
      // BullMQ goes by the machine's own clock.
      await job.moveToDelayed(Date.now() + Math.max(outcome.atMs - options.clock.now(), 1), token);
      await promoteIfDue(job, parsed.data, options);
      throw new DelayedError();
    default:
      outcome satisfies never;
  }
}

/** The job is somebody's item, whatever its data says. Each kind of data that cannot be read is told once. */
async function putOff<Data>(
  job: Job,
  token: string | undefined,
  why: string,
  toldOf: Set<string>,
  { stage, onTrouble, count }: StageWorkerOptions<Data>,
): Promise<never> {
  count('unreadable');
  if (!toldOf.has(why)) {
    toldOf.add(why);
    const hint = 'Was it added by a newer version? It waits for a worker that can read it.';
    onTrouble(new FluxError('job-unreadable', `The data of a ${stage} job cannot be read: ${why}`, { hint }));
  }
  await job.moveToDelayed(Date.now() + UNREADABLE_MS, token);
  throw new DelayedError();
}

/** Asked only now: a callback that came before the delay left a mark, and one that comes after it finds a delayed job. */
async function promoteIfDue<Data>(job: Job, data: Data, { isDueNow }: StageWorkerOptions<Data>): Promise<void> {
  try {
    if (await isDueNow?.(data)) await promoteDelayed(job);
  } catch {
    // The job is delayed already and must not fail for this. A mark that is lost costs a wait.
  }
}

/** The stage's outcome, or what the retry table makes of what it threw. */
async function settle<Data>(
  data: Data,
  run: Run,
  isLast: boolean,
  options: StageWorkerOptions<Data>,
): Promise<StageOutcome> {
  const later = (delayMs: number): StageOutcome => ({
    kind: 'later',
    atMs: options.clock.now() + delayMs * (0.75 + Math.random() * 0.5),
  });
  try {
    const outcome = await options.run(data, run);
    if (outcome.kind === 'done') options.succeeded?.(options.stage);
    return outcome;
  } catch (error) {
    if (isRedisAway(error)) return later(REDIS_AWAY_MS);
    const rule = retryRule(error);
    if (rule.kind === 'wait') {
      options.onTrouble(error);
      return later(rule.delayMs);
    }
    // Trying again would come to the same, and it is no bug.
    if (rule.kind === 'end') return setAside(data, error, later, options);
    options.count('unforeseen');
    if (!isLast) {
      options.onUnforeseen?.(data, error);
      throw error;
    }
    return setAside(data, error, later, options);
  }
}

async function setAside<Data>(
  data: Data,
  error: unknown,
  later: (delayMs: number) => StageOutcome,
  options: StageWorkerOptions<Data>,
): Promise<StageOutcome> {
  try {
    await options.giveUp(data, error);
    options.count('setAside');
    return { kind: 'done' };
  } catch (cause) {
    options.count('notSetAside');
    const { stage, onTrouble } = options;
    const why = `An item whose ${stage} keeps failing cannot be set aside yet: ${messageOf(cause)}`;
    // The archive's own faults are known by their codes: a process may want to stop for them.
    onTrouble(retryRule(cause).kind === 'wait' ? cause : new FluxError('not-set-aside', why, { cause }));
    return later(SET_ASIDE_AGAIN_MS);
  }
}
