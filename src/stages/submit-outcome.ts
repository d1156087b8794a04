import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../errors.ts';
import { stopsTheFleet, updateBreaker } from '../fleet/update-breaker.ts';
import type { Item, Submitted } from '../items/item.ts';
import type { Failure, ItemRecord } from '../items/record.ts';
import { failedRecord, heldRecord, recordWithTask, releasedRecord, requeuedRecord } from '../items/transitions.ts';
import type { Refusal, SubmitOutcome } from '../provider/provider.ts';
import { endItem } from './end-item.ts';
import { firstPollAt } from './poll-schedule.ts';
import type { Ports, Slot, StageOutcome, StageSettings } from './ports.ts';
import { backoffMs } from './retry.ts';
import { warnOfStorm } from './storm-log.ts';
import { waitALittle } from './wait-a-little.ts';

/** Recording a task id is tried so often before Redis has to keep it for the next stage. */
const RECORD_RETRY_DELAYS_MS = [100, 500, 2_000];

/** So long at most a task id waits for Redis to say whose it is. */
const CLAIM_TASK_WITHIN_MS = 2_000;
const NOT_SENT_AGAIN_MS = 1_000;

/** Where a person lets us submit again what may have been charged: one item goes on so often, and then waits for that person. */
const MOST_UNKNOWN = 20;

/** A request that went out, or may have. `claimed` is its record so far. */
export type Attempt = { item: Item; claimed: ItemRecord; submittedAt: number; slot: Slot; isProbe: boolean };

/** Records what became of a submit and hands a started task on. */
export async function settleSubmit(answer: SubmitOutcome, attempt: Attempt, ports: Ports): Promise<StageOutcome> {
  const { item, claimed, slot } = attempt;
  const outcome = await unlessAnothers(answer, item, ports);
  // This comes first: others are about to submit. But a task that was accepted is recorded before anything else.
  if (outcome.kind !== 'accepted') await updateBreaker(outcome, attempt.isProbe, ports);
  switch (outcome.kind) {
    case 'accepted': {
      const known = await recordTask(outcome.taskId, attempt, ports);
      // A callback may have been quicker. Then the item has gone on, perhaps to its end.
      if (known === 'not-recorded' || known?.state === 'submitted')
        await handOn(item, outcome.taskId, attempt.submittedAt, known !== 'not-recorded', ports);
      // Only now: until its poll job is there the slot counts as the running task.
      await slot.settle();
      await updateBreaker(outcome, attempt.isProbe, ports);
      return { kind: 'done' };
    }
    case 'not-sent':
      await slot.release();
      await giveBack(item, claimed, ports);
      // Where it was one too many, the next look finds the breaker tripped.
      return { kind: 'later', atMs: ports.now() + NOT_SENT_AGAIN_MS * (0.5 + Math.random()) };
    case 'unknown':
      await slot.settle();
      return settleUnknown(outcome, attempt, ports);
    case 'refused':
      if (outcome.refusal === 'rate-limited') {
        const remedy = 'does another program use this account? FLUX_RATE_LIMIT is what the account permits';
        warnOfStorm(
          ports.log,
          'submit-429',
          { stage: 'submit', reason: outcome.message, remedy },
          'submits refused for their rate (429)',
        );
        await slot.refuse(outcome.retryAfterMs);
        await giveBack(item, claimed, ports);
        return { kind: 'later', atMs: ports.now() };
      }
      await slot.settle();
      if (stopsTheFleet(outcome.refusal)) {
        await giveBack(item, claimed, ports);
        return waitALittle(ports);
      }
      return fail(
        item,
        claimed,
        { class: failureClassOf(outcome.refusal), code: outcome.code, message: outcome.message },
        ports,
      );
    default:
      return outcome satisfies never;
  }
}

/**
 * A task that another item has, as a gateway's cache gives it twice, is not this one's: both would get one image. Whether this submit
 * started one of its own nobody knows. Redis is not waited for: a task is recorded before anything else.
 */
async function unlessAnothers(outcome: SubmitOutcome, item: Item, ports: Ports): Promise<SubmitOutcome> {
  if (outcome.kind !== 'accepted') return outcome;
  const late = new AbortController();
  const owner = await Promise.race([
    ports.state.claimTask(item, outcome.taskId),
    sleep(CLAIM_TASK_WITHIN_MS, item.id, { signal: late.signal }),
  ]).catch(() => item.id);
  late.abort();
  if (owner === item.id) return outcome;
  return { kind: 'unknown', message: `The answer names the task ${outcome.taskId}, which is that of ${owner}` };
}

function failureClassOf(refusal: Refusal): Failure['class'] {
  switch (refusal) {
    case 'content-policy':
    case 'invalid-parameters':
    case 'feature-disabled':
      return refusal;
    default:
      return 'internal';
  }
}

async function settleUnknown(
  outcome: Extract<SubmitOutcome, { kind: 'unknown' }>,
  attempt: Attempt,
  ports: Ports,
): Promise<StageOutcome> {
  const { item, claimed } = attempt;
  const unknown = (claimed.unknownAttempts ?? 0) + 1;
  if (ports.settings.onUnknown === 'resubmit' && unknown < MOST_UNKNOWN) {
    const requeue = whileClaimed(claimed, requeuedRecord);
    const { written, record } = await ports.records.update(item.batch, item.id, requeue, claimed);
    if (!written) return goOnWith(record, attempt, ports);
    await ports.state.move(item, 'queued');
    return { kind: 'later', atMs: ports.now() + backoffMs(unknown) };
  }
  return goOnWith(await hold(item, claimed, outcome.message, outcome.code, ports), attempt, ports);
}

/**
 * A callback may come where the answer was lost. Then the item has gone on by its record, perhaps to its end, and must not be set
 * back. Without a record it has ended here.
 */
async function goOnWith(record: ItemRecord | undefined, attempt: Attempt, ports: Ports): Promise<StageOutcome> {
  if (record?.state === 'submitted') await handOn(attempt.item, record.taskId, attempt.submittedAt, true, ports);
  return { kind: 'done' };
}

/** What becomes of a claim, for as long as the record is that claim. */
function whileClaimed<Next extends ItemRecord>(claimed: ItemRecord, next: (now: ItemRecord) => Next) {
  return (now: ItemRecord | undefined) =>
    now?.state === 'claimed' && now.attempts === claimed.attempts ? next(now) : undefined;
}

/** Resolves with the record, which names the task; it may have gone on. */
async function recordTask(
  taskId: string,
  { item, claimed, submittedAt }: Attempt,
  ports: Ports,
): Promise<ItemRecord | undefined | 'not-recorded'> {
  const submitted = submittedOf(item, taskId, submittedAt, true, ports);
  for (const delayMs of [...RECORD_RETRY_DELAYS_MS, undefined]) {
    try {
      const change = (now: ItemRecord | undefined) => recordWithTask(submitted, now);
      return (await ports.records.update(item.batch, item.id, change, claimed)).record;
    } catch (error) {
      ports.log.error(
        { batch: item.batch, item: item.id, taskId, reason: messageOf(error) },
        'task id not recorded yet',
      );
      if (delayMs !== undefined) await sleep(delayMs);
    }
  }
  return 'not-recorded';
}

export async function handOn(
  item: Item,
  taskId: string,
  submittedAt: number,
  recorded: boolean,
  ports: Ports,
): Promise<void> {
  const submitted = submittedOf(item, taskId, submittedAt, recorded, ports);
  const durations = await ports.durations.sample(item.request.model);
  const move = () => ports.state.move(item, 'submitted', { submits: 1 });
  // With the task id on record, the state comes first, so that it cannot undo what the poll finds. Without, the job does.
  if (recorded) await move();
  await ports.forward.poll(submitted, firstPollAt(submittedAt, durations));
  if (!recorded) await move();
  ports.log.info({ batch: item.batch, item: item.id, stage: 'submit', taskId }, 'submitted');
}

export function submittedOf(
  item: Item,
  taskId: string,
  submittedAt: number,
  recorded: boolean,
  ports: { now: () => number; settings: Pick<StageSettings, 'pollGiveUpMs'> },
): Submitted {
  // A task found long after its submit gets a full time of asking from now on: its answer lives for 14 days.
  const giveUpAt = Math.max(submittedAt, ports.now() - ports.settings.pollGiveUpMs / 2) + ports.settings.pollGiveUpMs;
  return { ...item, taskId, submittedAt, giveUpAt, recorded };
}

export async function giveBack(item: Item, claimed: ItemRecord, ports: Ports): Promise<void> {
  const { written } = await ports.records.update(item.batch, item.id, whileClaimed(claimed, releasedRecord), claimed);
  if (written) await ports.state.move(item, 'queued');
}

async function fail(item: Item, previous: ItemRecord, failure: Failure, ports: Ports): Promise<StageOutcome> {
  const end = whileClaimed(previous, (now) => failedRecord(item, now, failure));
  await endItem(item, previous, end, 'submit', ports);
  return { kind: 'done' };
}

/** Resolves with the record where the item has gone on and is not held. */
export async function hold(
  item: Item,
  previous: ItemRecord,
  reason: string,
  code: number | undefined,
  ports: Ports,
): Promise<ItemRecord | undefined> {
  const failure: Failure = {
    class: 'unknown-outcome',
    message: `It is unknown whether the submit started a task (and was charged): ${reason}`,
    ...(code === undefined ? {} : { code }),
  };
  return endItem(
    item,
    previous,
    whileClaimed(previous, (now) => heldRecord(item, now, failure)),
    'submit',
    ports,
  );
}
