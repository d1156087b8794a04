import { itemOf, laneOf, type Submitted } from '../items/item.ts';
import { type Failure, type ItemRecord, taskIdsOf } from '../items/record.ts';
import { isForAnother } from '../items/repeated-prompt.ts';
import { finishedOf } from '../items/sources.ts';
import { failedRecord, heldRecord, isOfTask, requeuedRecord } from '../items/transitions.ts';
import type { Failed, PollOutcome, Succeeded } from '../provider/provider.ts';
import { saysUnfetchable } from '../provider/unfetchable.ts';
import { askSurely } from './ask-task.ts';
import { disownTask } from './disown-task.ts';
import { endItem } from './end-item.ts';
import { isCalled, laterPollAt, noteCalled, pollsOf, putOffEarly, unasked } from './poll-timing.ts';
import {
  afterUnanswered,
  LONGEST_TROUBLE_DELAY_MS,
  TROUBLE_DELAY_MS,
  type Unanswered,
  unansweredMsOf,
} from './poll-unanswered.ts';
import type { Ports, Run, StageOutcome } from './ports.ts';
import { recordFirst } from './record-task.ts';
import { together } from './together.ts';

/** Asks once for a running task and hands a finished one on. Never spends money, so it may run any number of times. */
export async function poll(item: Submitted, run: Run, ports: Ports): Promise<StageOutcome> {
  // The submit stage may have failed to record the task id. Nothing else is worth doing before that is done.
  const task = await recordFirst(item, ports);
  const early = await putOffEarly(task, run, ports);
  if (early) return early;
  const asked = await askSurely(task, run, ports);
  if (!asked) return { kind: 'later', atMs: ports.now(), remember: { ...unasked(run), called: isCalled(run) } };
  return together(goOn(task, asked.outcome, run, ports), asked.slotEnded);
}

/** What an answer leads to. */
async function goOn(task: Submitted, outcome: PollOutcome, run: Run, ports: Ports): Promise<StageOutcome> {
  const now = ports.now();
  if (outcome.kind === 'refused' || outcome.kind === 'unreachable') return waitForAnswer(task, outcome, run, ports);
  ports.faults.clear('poll-unanswered');
  if ('prompt' in outcome && outcome.prompt !== undefined && isForAnother(task.request, outcome.prompt)) {
    const goneOn = await disownTask(task, outcome.prompt, ports);
    return goneOn ? goOnWith(goneOn, task, run, ports) : { kind: 'done' };
  }
  switch (outcome.kind) {
    case 'succeeded':
    case 'failed':
      return together(
        settleEnded(task, outcome, run, ports),
        noteEnd(task, outcome.kind === 'succeeded' ? outcome.completedAt : undefined, run, ports),
      );
    case 'generating':
      return askAgain(task, await laterPollAt(task, run, ports), run, ports, outcome.said);
    case 'not-found':
      if (now < task.submittedAt + ports.settings.unknownTaskGraceMs)
        return askAgain(task, now + TROUBLE_DELAY_MS, run, ports);
      return (
        (await askInItsLane(task, run, ports)) ??
        end(
          task,
          'held',
          { class: 'unknown-task', message: `The provider does not know the task: ${outcome.message}` },
          run,
          ports,
        )
      );
    default:
      return outcome satisfies never;
  }
}

/** What becomes of an item whose task is over, as a poll says, or the answer to its submit. */
export function settleEnded(
  task: Submitted,
  outcome: Succeeded | Failed,
  run: Run,
  ports: Ports,
): Promise<StageOutcome> {
  return outcome.kind === 'succeeded' ? succeed(task, outcome, ports) : failGeneration(task, outcome, run, ports);
}

async function noteEnd(task: Submitted, completedAt: number | undefined, run: Run, ports: Ports): Promise<void> {
  ports.metrics.observe('taskPolls', pollsOf(run));
  await noteCalled(task, completedAt, run, ports);
}

async function succeed(task: Submitted, outcome: Succeeded, ports: Ports): Promise<StageOutcome> {
  const discoveredAt = ports.now();
  // The provider's clock may differ from ours: a completion outside what we saw is no better than what we saw.
  const completedAt = Math.min(Math.max(outcome.completedAt ?? discoveredAt, task.submittedAt), discoveredAt);
  await ports.forward.archive(
    finishedOf(
      { ...task, ...costOf(outcome) },
      { sources: outcome.sources, ...(outcome.more && { more: outcome.more }), completedAt, discoveredAt },
    ),
  );
  await ports.state.move(task, 'finished');
  ports.metrics.observe('taskSeconds', (completedAt - task.submittedAt) / 1_000);
  ports.metrics.observe('discoverySeconds', (discoveredAt - completedAt) / 1_000);
  await ports.durations.add(task.request.model, completedAt - task.submittedAt);
  ports.log.info({ batch: task.batch, item: task.id, stage: 'poll', taskId: task.taskId }, 'finished');
  return { kind: 'done' };
}

/** What is not charged is given back. Where nobody says, the price stands. */
function costOf(outcome: Succeeded | Failed): { credits?: number } {
  if (outcome.credits !== undefined) return { credits: outcome.credits };
  return outcome.kind === 'failed' && outcome.charged === 'no' ? { credits: 0 } : {};
}

async function failGeneration(asked: Submitted, outcome: Failed, run: Run, ports: Ports): Promise<StageOutcome> {
  const task = { ...asked, ...costOf(outcome) };
  const refusedByPolicy = outcome.reason === 'content-policy';
  if (saysUnfetchable(outcome.message)) await ports.inputs?.forget(task.request);
  const record = await ports.records.read(task.batch, task.id);
  const requeued = record?.state === 'queued' && record.earlierTaskIds.includes(task.taskId);
  if (record && !requeued && !isOfTask(record, task.taskId)) return goOnWith(record, task, run, ports);
  const retriesUsed = record?.earlierTaskIds.length ?? 0;
  if (record && (requeued || (!refusedByPolicy && retriesUsed < ports.settings.generationRetries))) {
    if (!requeued) {
      const requeue = (now: ItemRecord | undefined) =>
        now && isOfTask(now, task.taskId) ? requeuedRecord(now, task) : undefined;
      const { written, record: now } = await ports.records.update(task.batch, task.id, requeue, record);
      if (!written && now) return goOnWith(now, task, run, ports);
    }
    await ports.state.move(task, 'queued');
    await ports.forward.submit(itemOf(task));
    return { kind: 'done' };
  }
  const failure: Failure = {
    class: outcome.reason,
    ...(outcome.code === undefined ? {} : { code: outcome.code }),
    message: outcome.message,
  };
  return end(task, 'failed', failure, run, ports);
}

/** The provider says that it runs, or does not know it yet. Its time is what passed while the provider answered. */
async function askAgain(task: Submitted, atMs: number, run: Run, ports: Ports, said?: string): Promise<StageOutcome> {
  const unansweredMs = unansweredMsOf(run.remembered, ports.now());
  const giveUpAt = task.giveUpAt + unansweredMs;
  if (ports.now() < giveUpAt) {
    const isOver = run.remembered.unansweredSince !== undefined;
    const isNews = said !== undefined && run.remembered.notUnderstood !== true;
    if (isNews) {
      const { batch, id, taskId } = task;
      ports.log.warn(
        { batch, item: id, stage: 'poll', taskId, reason: said },
        'a success without an image URL that we know',
      );
    }
    const { unanswered: _, unansweredSince: __, called: ___, ...kept } = run.remembered;
    const wasCalled = isCalled(run);
    const remember = {
      ...{ ...kept, unansweredMs },
      ...(said !== undefined && { notUnderstood: true }),
      ...(wasCalled && { calledEarly: true }),
    };
    return { kind: 'later', atMs: Math.min(atMs, giveUpAt), ...((isOver || isNews || wasCalled) && { remember }) };
  }
  const why =
    said === undefined
      ? 'The task has not ended in the time given'
      : `The task has succeeded, and its answer names no image in a way that we know (${said})`;
  const message = `${why}. It is not lost: running the manifest again asks for it again`;
  return end(task, 'held', { class: 'poll-timeout', message }, run, ports);
}

/** Nothing was learned of the task. It is asked for until even its stored image is gone. */
async function waitForAnswer(task: Submitted, outcome: Unanswered, run: Run, ports: Ports): Promise<StageOutcome> {
  const later = afterUnanswered(task, outcome, run, ports);
  if (later) return later;
  const message = `Nobody answered for the task before its image was to be deleted: ${outcome.message}`;
  return end(task, 'held', { class: 'poll-timeout', message }, run, ports);
}

async function end(
  task: Submitted,
  state: 'failed' | 'held',
  failure: Failure,
  run: Run,
  ports: Ports,
): Promise<StageOutcome> {
  const endOf = (now: ItemRecord | undefined) => {
    // A poll that runs again after a crash may find that the item has gone on, to its end or to another task.
    if (now && !isOfTask(now, task.taskId)) return undefined;
    return state === 'failed' ? failedRecord(task, now, failure) : heldRecord(task, now, failure);
  };
  const goneOn = await endItem(task, undefined, endOf, 'poll', ports);
  return goneOn ? goOnWith(goneOn, task, run, ports) : { kind: 'done' };
}

/** A worker that knows no lanes may have added the job: then the record alone names the account that knows the task. */
async function askInItsLane(task: Submitted, run: Run, ports: Ports): Promise<StageOutcome | undefined> {
  if (!ports.portsOfTask) return undefined;
  const record = await ports.records.read(task.batch, task.id);
  if (!record || record.lane === task.lane || !taskIdsOf(record).includes(task.taskId)) return undefined;
  return goOnWith(record, task, run, ports);
}

/**
 * The item has a newer task. Its poll job may have been added while this job was still there, which is a no-op. So this job goes on
 * with the newer task; otherwise nobody would ask for it.
 */
async function goOnWith(record: ItemRecord, task: Submitted, run: Run, ports: Ports): Promise<StageOutcome> {
  if (record.state === 'claimed') return { kind: 'later', atMs: ports.now() + TROUBLE_DELAY_MS };
  const isSame = record.state === 'submitted' && record.taskId === task.taskId && record.lane === task.lane;
  if (record.state !== 'submitted' || isSame) return { kind: 'done' };
  const submittedAt = Date.parse(record.timings.submitted ?? record.timings.queued);
  const giveUpAt = submittedAt + ports.settings.pollGiveUpMs;
  // Neither its account nor what it has cost is the newer one's.
  const { lane: _, credits: __, ...former } = task;
  const newer = { ...former, taskId: record.taskId, submittedAt, giveUpAt, ...laneOf(record) };
  // It may run in another account.
  const own = ports.portsOfTask ? await ports.portsOfTask(newer) : ports;
  if (!own) return { kind: 'later', atMs: ports.now() + LONGEST_TROUBLE_DELAY_MS };
  return poll(newer, { ...run, called: false, calledSince: async () => false, remembered: {} }, own);
}
