import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../errors.ts';
import { stopsTheFleet, updateBreaker } from '../fleet/update-breaker.ts';
import type { Item, Submitted } from '../items/item.ts';
import type { Failure, ItemRecord } from '../items/record.ts';
import { failedRecord, heldRecord, releasedRecord, requeuedRecord, submittedRecord } from '../items/transitions.ts';
import type { Refusal, SubmitOutcome } from '../provider/provider.ts';
import { endItem } from './end-item.ts';
import { firstPollAt } from './poll-schedule.ts';
import type { Ports, Slot, StageOutcome, StageSettings } from './ports.ts';
import { backoffMs } from './retry.ts';

/** Recording a task id is tried so often before Redis has to keep it for the next stage. */
const RECORD_RETRY_DELAYS_MS = [100, 500, 2_000];

/** Where a person lets us submit again what may have been charged: one item goes on so often, and then waits for that person. */
const MOST_UNKNOWN = 20;

/** A request that went out, or may have. `claimed` is its record so far. */
export type Attempt = { item: Item; claimed: ItemRecord; submittedAt: number; slot: Slot; isProbe: boolean };

/** Records what became of a submit and hands a started task on. */
export async function settleSubmit(outcome: SubmitOutcome, attempt: Attempt, ports: Ports): Promise<StageOutcome> {
  const { item, claimed, slot } = attempt;
  // This comes first: others are about to submit.
  await updateBreaker(outcome, attempt.isProbe, ports);
  switch (outcome.kind) {
    case 'accepted': {
      if (!(await wentOnByCallback(attempt, ports))) {
        const recorded = await recordTask(outcome.taskId, attempt, ports);
        await handOn(item, outcome.taskId, attempt.submittedAt, recorded, ports);
      }
      // Only now: until its poll job is there the slot counts as the running task.
      await slot.settle();
      return { kind: 'done' };
    }
    case 'not-sent':
      await slot.release();
      await giveBack(item, claimed, ports);
      return { kind: 'later', atMs: ports.now() + (await ports.state.breakerCheckMs(item.batch)) };
    case 'unknown':
      await slot.settle();
      return settleUnknown(outcome, attempt, ports);
    case 'refused':
      if (outcome.refusal === 'rate-limited') {
        await slot.refuse(outcome.retryAfterMs);
        await giveBack(item, claimed, ports);
        return { kind: 'later', atMs: ports.now() };
      }
      await slot.settle();
      if (stopsTheFleet(outcome.refusal)) {
        await giveBack(item, claimed, ports);
        return { kind: 'later', atMs: ports.now() + (await ports.state.breakerCheckMs(item.batch)) };
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
  if (await wentOnByCallback(attempt, ports)) return { kind: 'done' };
  const unknown = (claimed.unknownAttempts ?? 0) + 1;
  if (ports.settings.onUnknown === 'resubmit' && unknown < MOST_UNKNOWN) {
    await ports.records.write(requeuedRecord(claimed));
    await ports.state.move(item, 'queued');
    return { kind: 'later', atMs: ports.now() + backoffMs(unknown) };
  }
  await hold(item, claimed, outcome.message, outcome.code, ports);
  return { kind: 'done' };
}

/**
 * A callback may come before the answer to the submit, or where that answer was lost. Then the item has gone on, perhaps to its
 * end, and its record must not be set back.
 */
async function wentOnByCallback({ item, submittedAt }: Attempt, ports: Ports): Promise<boolean> {
  if (!ports.settings.callbackUrlOf) return false;
  const found = await ports.records.read(item.batch, item.id).catch(() => undefined);
  if (!found || found.state === 'claimed') return false;
  if (found.state === 'submitted') await handOn(item, found.taskId, submittedAt, true, ports);
  return true;
}

async function recordTask(taskId: string, { item, claimed, submittedAt }: Attempt, ports: Ports): Promise<boolean> {
  const record = submittedRecord(submittedOf(item, taskId, submittedAt, true, ports), claimed);
  for (const delayMs of [...RECORD_RETRY_DELAYS_MS, undefined]) {
    try {
      await ports.records.write(record);
      return true;
    } catch (error) {
      ports.log.error(
        { batch: item.batch, item: item.id, taskId, reason: messageOf(error) },
        'task id not recorded yet',
      );
      if (delayMs !== undefined) await sleep(delayMs);
    }
  }
  return false;
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
  await ports.records.write(releasedRecord(claimed));
  await ports.state.move(item, 'queued');
}

async function fail(item: Item, previous: ItemRecord, failure: Failure, ports: Ports): Promise<StageOutcome> {
  await endItem(item, failedRecord(item, previous, failure), 'submit', ports);
  return { kind: 'done' };
}

export async function hold(
  item: Item,
  previous: ItemRecord,
  reason: string,
  code: number | undefined,
  ports: Ports,
): Promise<void> {
  const failure: Failure = {
    class: 'unknown-outcome',
    message: `It is unknown whether the submit started a task (and was charged): ${reason}`,
    ...(code === undefined ? {} : { code }),
  };
  await endItem(item, heldRecord(item, previous, failure), 'submit', ports);
}
