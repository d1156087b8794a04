import { setTimeout as sleep } from 'node:timers/promises';
import { type Finished, itemOf, type Submitted } from '../items/item.ts';
import type { Failure, ItemRecord } from '../items/record.ts';
import { failedRecord, heldRecord, requeuedRecord, submittedRecord } from '../items/transitions.ts';
import type { PollOutcome } from '../provider/provider.ts';
import { endItem } from './end-item.ts';
import { nextPollAt } from './poll-schedule.ts';
import type { Ports, Run, StageOutcome } from './ports.ts';

/** The wait after a poll that was refused or not answered. Such a poll costs nothing but time. */
const TROUBLE_DELAY_MS = 3_000;
/** One 404 for a known task may come from a replica or a gateway. So many in a row, a moment apart, are believed. */
const DENIALS = 3;
const DENIAL_DELAY_MS = 500;

/** Asks once for a running task and hands a finished one on. Never spends money, so it may run any number of times. */
export async function poll(item: Submitted, run: Run, ports: Ports): Promise<StageOutcome> {
  const task = await recordFirst(item, ports);
  const outcome = await askSurely(task, run, ports);
  if (!outcome) return { kind: 'later', atMs: ports.now() };
  const now = ports.now();
  switch (outcome.kind) {
    case 'succeeded':
      ports.metrics.observe('taskPolls', run.runs);
      return succeed(task, outcome, ports);
    case 'failed':
      ports.metrics.observe('taskPolls', run.runs);
      return failGeneration(task, outcome, run, ports);
    case 'generating':
      return askAgain(
        task,
        nextPollAt({ submittedAt: task.submittedAt, now, durations: await durationsOf(task, ports) }),
        run,
        ports,
      );
    case 'not-found':
      if (now < task.submittedAt + ports.settings.unknownTaskGraceMs)
        return askAgain(task, now + TROUBLE_DELAY_MS, run, ports);
      return end(
        task,
        'held',
        { class: 'unknown-task', message: `The provider does not know the task: ${outcome.message}` },
        run,
        ports,
      );
    case 'refused':
    case 'unreachable':
      ports.log.warn(
        { batch: task.batch, item: task.id, stage: 'poll', taskId: task.taskId, outcome },
        'poll not answered',
      );
      return askAgain(task, now + TROUBLE_DELAY_MS * (0.75 + Math.random() * 0.5), run, ports);
    default:
      return outcome satisfies never;
  }
}

/** The submit stage may have failed to record the task id. Nothing else is worth doing before that is done. */
async function recordFirst(item: Submitted, ports: Ports): Promise<Submitted> {
  if (item.recorded) return item;
  const previous = await ports.records.read(item.batch, item.id);
  // Held: another process took the missing task id for an unknown outcome.
  if (previous?.state === 'claimed' || (previous?.state === 'held' && previous.taskId === undefined)) {
    await ports.records.write(submittedRecord(item, previous));
    await ports.state.move(item, 'submitted');
  }
  return { ...item, recorded: true };
}

/** Asks again where a single 404 would give the task up. */
async function askSurely(task: Submitted, run: Run, ports: Ports): Promise<PollOutcome | undefined> {
  for (let asked = 1; ; asked++) {
    const outcome = await ask(task, run, ports);
    const isFresh = ports.now() < task.submittedAt + ports.settings.unknownTaskGraceMs;
    if (outcome?.kind !== 'not-found' || isFresh || asked === DENIALS) return outcome;
    await sleep(DENIAL_DELAY_MS, undefined, { signal: run.signal }).catch(() => {});
  }
}

/** One request within the rate limit; undefined when the process drains before its turn. */
async function ask(task: Submitted, run: Run, ports: Ports): Promise<PollOutcome | undefined> {
  const slot = await ports.pollLimiter
    .take({ leadMs: 0, goesOut: true, signal: run.signal })
    .catch((error: unknown) => {
      if (run.signal.aborted) return undefined;
      throw error;
    });
  if (!slot) return undefined;
  try {
    await slot.ready();
  } catch (error) {
    await slot.release();
    if (run.signal.aborted) return undefined;
    throw error;
  }
  const outcome = await ports.provider.poll(task.taskId);
  if (outcome.kind === 'refused' && outcome.refusal === 'rate-limited') await slot.refuse(outcome.retryAfterMs);
  else await slot.settle();
  return outcome;
}

async function succeed(
  task: Submitted,
  outcome: Extract<PollOutcome, { kind: 'succeeded' }>,
  ports: Ports,
): Promise<StageOutcome> {
  const { settings } = ports;
  const discoveredAt = ports.now();
  // The provider's clock may differ from ours: a completion outside what we saw is no better than what we saw.
  const completedAt = Math.min(Math.max(outcome.completedAt ?? discoveredAt, task.submittedAt), discoveredAt);
  const finished: Finished = {
    ...task,
    completedAt,
    discoveredAt,
    ...(outcome.originUrl === undefined ? {} : { originUrl: outcome.originUrl }),
    originDiesAt: completedAt + settings.originTtlMs,
    ...(outcome.storedUrl === undefined ? {} : { storedUrl: outcome.storedUrl }),
    storedDiesAt: completedAt + settings.storedTtlMs,
  };
  await ports.forward.archive(finished);
  await ports.state.move(task, 'finished');
  ports.metrics.observe('taskSeconds', (completedAt - task.submittedAt) / 1_000);
  ports.metrics.observe('discoverySeconds', (discoveredAt - completedAt) / 1_000);
  await ports.durations.add(task.request.model, completedAt - task.submittedAt);
  ports.log.info({ batch: task.batch, item: task.id, stage: 'poll', taskId: task.taskId }, 'finished');
  return { kind: 'done' };
}

async function failGeneration(
  task: Submitted,
  outcome: Extract<PollOutcome, { kind: 'failed' }>,
  run: Run,
  ports: Ports,
): Promise<StageOutcome> {
  const refusedByPolicy = outcome.code === 400;
  const record = await ports.records.read(task.batch, task.id);
  const requeued = record?.state === 'queued' && record.earlierTaskIds.includes(task.taskId);
  if (record && !requeued && !isOf(record, task)) return goOnWith(record, task, run, ports);
  const retriesUsed = record?.earlierTaskIds.length ?? 0;
  if (record && (requeued || (!refusedByPolicy && retriesUsed < ports.settings.generationRetries))) {
    if (!requeued) await ports.records.write(requeuedRecord(record));
    await ports.state.move(task, 'queued');
    await ports.forward.submit(itemOf(task));
    return { kind: 'done' };
  }
  const failure: Failure = {
    class: refusedByPolicy ? 'content-policy' : 'generation-failed',
    ...(outcome.code === undefined ? {} : { code: outcome.code }),
    message: outcome.message,
  };
  return end(task, 'failed', failure, run, ports);
}

async function askAgain(task: Submitted, atMs: number, run: Run, ports: Ports): Promise<StageOutcome> {
  if (ports.now() < task.giveUpAt) return { kind: 'later', atMs: Math.min(atMs, task.giveUpAt) };
  const message =
    'The task has not ended in the time given. It is not lost: running the manifest again asks for it again';
  return end(task, 'held', { class: 'poll-timeout', message }, run, ports);
}

async function end(
  task: Submitted,
  state: 'failed' | 'held',
  failure: Failure,
  run: Run,
  ports: Ports,
): Promise<StageOutcome> {
  const previous = await ports.records.read(task.batch, task.id);
  if (previous && !isOf(previous, task)) return goOnWith(previous, task, run, ports);
  const record = state === 'failed' ? failedRecord(task, previous, failure) : heldRecord(task, previous, failure);
  await endItem(task, record, 'poll', ports);
  return { kind: 'done' };
}

/** A poll that runs again after a crash may find that the item has gone on, to its end or to another task. */
function isOf(record: ItemRecord, task: Submitted): boolean {
  if (record.state === 'archived' || record.earlierTaskIds.includes(task.taskId)) return false;
  return !('taskId' in record) || record.taskId === undefined || record.taskId === task.taskId;
}

/**
 * The item has a newer task. Its poll job may have been added while this job was still there, which is a no-op. So this job goes on
 * with the newer task; otherwise nobody would ask for it.
 */
async function goOnWith(record: ItemRecord, task: Submitted, run: Run, ports: Ports): Promise<StageOutcome> {
  if (record.state === 'claimed') return { kind: 'later', atMs: ports.now() + TROUBLE_DELAY_MS };
  if (record.state !== 'submitted' || record.taskId === task.taskId) return { kind: 'done' };
  const submittedAt = Date.parse(record.timings.submitted ?? record.timings.queued);
  const giveUpAt = submittedAt + ports.settings.pollGiveUpMs;
  return poll({ ...task, taskId: record.taskId, submittedAt, giveUpAt }, run, ports);
}

function durationsOf(task: Submitted, ports: Ports): Promise<readonly number[]> {
  return ports.durations.sample(task.request.model);
}
