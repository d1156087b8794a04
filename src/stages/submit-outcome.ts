import { stopsTheFleet, updateBreaker } from '../fleet/update-breaker.ts';
import type { Item } from '../items/item.ts';
import type { Failure, ItemRecord } from '../items/record.ts';
import { failedRecord, heldRecord, releasedRecord, requeuedRecord } from '../items/transitions.ts';
import type { Refusal, SubmitOutcome } from '../provider/provider.ts';
import { goOnEnded, type OnEnded } from './end-at-once.ts';
import { endItem } from './end-item.ts';
import { earliestPollAt } from './poll-timing.ts';
import type { Ports, Slot, StageOutcome } from './ports.ts';
import { recordTask, submittedOf, type Task, taskOfRecord } from './record-task.ts';
import { replays } from './replays.ts';
import { backoffMs } from './retry.ts';
import { warnOfStorm } from './storm-log.ts';
import { whileOf, whyAnothers } from './task-owner.ts';
import { waitALittle } from './wait-a-little.ts';

const NOT_SENT_AGAIN_MS = 1_000;

/** Where a person lets us submit again what may have been charged: one item goes on so often, and then waits for that person. */
export const MOST_UNKNOWN = 20;

/** A request that went out, or may have. `claimed` is its record so far. */
export type Attempt = {
  item: Item;
  claimed: ItemRecord;
  submittedAt: number;
  slot: Slot;
  onEnded: OnEnded;
  isProbe: boolean;
};

/** Records what became of a submit and hands a started task on. */
export async function settleSubmit(outcome: SubmitOutcome, attempt: Attempt, ports: Ports): Promise<StageOutcome> {
  const { item, claimed, slot } = attempt;
  // This comes first: others are about to submit. But a task that was accepted is recorded before anything else.
  if (outcome.kind !== 'accepted') await updateBreaker(outcome, attempt.isProbe, ports);
  switch (outcome.kind) {
    case 'accepted': {
      let settled: StageOutcome = { kind: 'done' };
      // What it costs by the provider's own word goes with the task.
      const told = outcome.credits === undefined ? item : { ...item, credits: outcome.credits };
      const known = await recordTask(outcome.handle, { ...attempt, item: told }, ports);
      // A callback may have been quicker. Then the item has gone on, perhaps to its end.
      if (known === 'not-recorded' || known?.state === 'submitted') {
        const why = await whyAnothers(item, outcome.handle, ports);
        if (why !== undefined) return settleAnothers(outcome.handle, why, known, attempt, ports);
        const { ended } = outcome;
        const { lane } = ports.settings;
        const recorded = known !== 'not-recorded';
        const task = { taskId: outcome.handle, submittedAt: attempt.submittedAt, recorded, lane };
        // What is not on record yet goes to poll: it is recorded there first of all, and asked for again.
        if (ended && recorded) settled = await goOnEnded(task, ended, { ...attempt, item: told }, ports);
        else await handOn(told, task, ports);
      }
      // Only now: until its poll job is there the slot counts as the running task.
      await slot.settle();
      await updateBreaker(outcome, attempt.isProbe, ports);
      return settled;
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
        const limit = ports.settings.limitNames?.rate ?? 'FLUX_RATE_LIMIT';
        const remedy = `does another program use this account? ${limit} is what the account permits`;
        warnOfStorm(
          ports.log,
          `submit-429 ${limit}`,
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

/** Whether a submit that was answered with another item's task started one of its own nobody knows. */
async function settleAnothers(
  taskId: string,
  message: string,
  known: ItemRecord | 'not-recorded',
  attempt: Attempt,
  ports: Ports,
): Promise<StageOutcome> {
  const claimed = known === 'not-recorded' ? attempt.claimed : known;
  const outcome = { kind: 'unknown', message, othersTask: taskId } as const;
  await attempt.slot.settle();
  const settled = await settleUnknown(outcome, { ...attempt, claimed }, ports);
  await updateBreaker(outcome, attempt.isProbe, ports);
  return settled;
}

/** What an earlier run has recorded. That run may have ended before it found out whose the task is. */
export async function resumeTask(
  item: Item,
  record: Extract<ItemRecord, { state: 'submitted' }>,
  ports: Ports,
): Promise<StageOutcome> {
  const task = taskOfRecord(record, record.taskId);
  const { taskId, submittedAt } = task;
  const attempt = { item, claimed: record, submittedAt };
  const message = await whyAnothers(item, taskId, ports);
  if (message !== undefined) return settleUnknown({ kind: 'unknown', message, othersTask: taskId }, attempt, ports);
  await handOn(item, task, ports);
  return { kind: 'done' };
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

/** `othersTask`: the task that the record goes by, which is another item's. */
type Unknown = Extract<SubmitOutcome, { kind: 'unknown' }> & { othersTask?: string };

async function settleUnknown(
  outcome: Unknown,
  attempt: Pick<Attempt, 'item' | 'claimed' | 'submittedAt'>,
  ports: Ports,
): Promise<StageOutcome> {
  const { item, claimed } = attempt;
  const isKeyed = outcome.othersTask === undefined && replays(claimed, ports);
  const unknown = (isKeyed ? (claimed.submitKey?.unanswered ?? 0) : (claimed.unknownAttempts ?? 0)) + 1;
  if ((isKeyed || ports.settings.onUnknown === 'resubmit') && unknown < MOST_UNKNOWN) {
    const requeue = whileOpen(claimed, outcome, requeuedRecord);
    const { written, record } = await ports.records.update(item.batch, item.id, requeue, claimed);
    if (!written) return goOnWith(record, attempt, ports);
    await ports.state.move(item, 'queued');
    return {
      kind: 'later',
      atMs: ports.now() + backoffMs(unknown),
      ...(isKeyed && { remember: { replays: unknown } }),
    };
  }
  return goOnWith(await hold(item, claimed, outcome, ports), attempt, ports);
}

/**
 * A callback may come where the answer was lost. Then the item has gone on by its record, perhaps to its end, and must not be set
 * back. Without a record it has ended here.
 */
async function goOnWith(
  record: ItemRecord | undefined,
  attempt: Pick<Attempt, 'item' | 'submittedAt'>,
  ports: Ports,
): Promise<StageOutcome> {
  if (record?.state === 'submitted') {
    const { taskId, lane } = record;
    await handOn(attempt.item, { taskId, submittedAt: attempt.submittedAt, recorded: true, lane }, ports);
  }
  return { kind: 'done' };
}

/** What becomes of a claim, or of what waits with a key, for as long as the record is that. */
function whileAsIs<Next extends ItemRecord>(was: ItemRecord, next: (now: ItemRecord) => Next) {
  return (now: ItemRecord | undefined) =>
    now?.state === was.state && now.attempts === was.attempts ? next(now) : undefined;
}

function whileOpen<Next extends ItemRecord>(
  claimed: ItemRecord,
  { othersTask }: Pick<Unknown, 'othersTask'>,
  next: (now: ItemRecord) => Next,
) {
  return othersTask === undefined ? whileAsIs(claimed, next) : whileOf(othersTask, next, claimed);
}

/** To be asked for with the key of its lane, which may be another than the one that these ports submit in. */
export async function handOn(item: Item, task: Task, ports: Ports): Promise<void> {
  const { taskId, recorded } = task;
  const submitted = submittedOf(item, task, ports);
  const pollAt = await earliestPollAt(submitted, ports);
  const move = () => ports.state.move(item, 'submitted', { submits: 1 });
  // With the task id on record, the state comes first, so that it cannot undo what the poll finds. Without, the job does.
  if (recorded) await move();
  await ports.forward.poll(submitted, pollAt);
  if (!recorded) await move();
  ports.log.info({ batch: item.batch, item: item.id, stage: 'submit', taskId }, 'submitted');
}

export async function giveBack(item: Item, claimed: ItemRecord, ports: Ports): Promise<void> {
  const { written } = await ports.records.update(item.batch, item.id, whileAsIs(claimed, releasedRecord), claimed);
  if (written) await ports.state.move(item, 'queued');
}

async function fail(item: Item, previous: ItemRecord, failure: Failure, ports: Ports): Promise<StageOutcome> {
  const end = whileAsIs(previous, (now) => failedRecord(item, now, failure));
  await endItem(item, previous, end, 'submit', ports);
  return { kind: 'done' };
}

/** Resolves with the record where the item has gone on and is not held. */
export async function hold(
  item: Item,
  previous: ItemRecord,
  outcome: Pick<Unknown, 'message' | 'code' | 'othersTask'>,
  ports: Ports,
): Promise<ItemRecord | undefined> {
  const { code } = outcome;
  const failure: Failure = {
    class: 'unknown-outcome',
    message: `It is unknown whether the submit started a task (and was charged): ${outcome.message}`,
    ...(code === undefined ? {} : { code }),
  };
  return endItem(
    item,
    previous,
    whileOpen(previous, outcome, (now) => heldRecord(item, now, failure)),
    'submit',
    ports,
  );
}
