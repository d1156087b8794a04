import { DelayedError, type Job, MetricsTime, UnrecoverableError, Worker } from 'bullmq';
import type { z } from 'zod';
import { promoteDelayed } from '../src/queue/promote-delayed.ts';
import type { Stage } from '../src/queue/queues.ts';
import type { Clock } from '../src/redis/clock.ts';
import type { RedisClient } from '../src/redis/connection.ts';
import type { Run, StageOutcome } from '../src/stages/ports.ts';
import { backoffMs, retryRule } from '../src/stages/retry.ts';

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

export type StageWorkerOptions<Data> = {
  stage: Stage;
  /** What the queue's name ends in besides. */
  suffix?: string;
  schema: z.ZodType<Data>;
  concurrency: number;
  run(data: Data, run: Run): Promise<StageOutcome>;
  /** The last attempt threw: end what the job is about. */
  giveUp(data: Data, error: unknown): Promise<void>;
  /** Asked after the job was delayed: is it to run at once after all? */
  isDueNow?(data: Data): Promise<boolean>;
  /** A fault that is not the item's: the whole process may want to stop for it. */
  onTrouble(error: unknown): void;
  redis: RedisClient;
  clock: Clock;
  prefix: string;
  signal: AbortSignal;
};

/** Between BullMQ and a stage: parses the job's data, runs the stage, tells the queue its outcome. */
export function stageWorker<Data>(options: StageWorkerOptions<Data>): Worker {
  const worker = new Worker(options.stage + (options.suffix ?? ''), (job, token) => processJob(job, token, options), {
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
  // Lost connections and lost locks come here; BullMQ mends both, and stages may be repeated.
  worker.on('error', () => {});
  return worker;
}

async function processJob<Data>(job: Job, token: string | undefined, options: StageWorkerOptions<Data>): Promise<void> {
  const parsed = options.schema.safeParse(job.data);
  if (!parsed.success) {
    const error = new UnrecoverableError(`Expected the data of a ${options.stage} job: ${parsed.error.message}`);
    options.onTrouble(error);
    throw error;
  }
  const lastAttempt = job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
  const outcome = await settle(
    parsed.data,
    { lastAttempt, runs: job.attemptsStarted, signal: options.signal },
    options,
  );
  switch (outcome.kind) {
    case 'done':
      return;
    case 'later':
      // BullMQ goes by the machine's own clock.
      await job.moveToDelayed(Date.now() + Math.max(outcome.atMs - options.clock.now(), 1), token);
      await promoteIfDue(job, parsed.data, options);
      throw new DelayedError();
    case 'retry':
      throw outcome.error;
    default:
      outcome satisfies never;
  }
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
async function settle<Data>(data: Data, run: Run, options: StageWorkerOptions<Data>): Promise<StageOutcome> {
  try {
    return await options.run(data, run);
  } catch (error) {
    const rule = retryRule(error);
    if (rule.kind === 'wait') {
      options.onTrouble(error);
      return { kind: 'later', atMs: options.clock.now() + rule.delayMs * (0.75 + Math.random() * 0.5) };
    }
    if (rule.kind === 'attempt' && !run.lastAttempt) throw error;
    await options.giveUp(data, error);
    return { kind: 'done' };
  }
}
