import type { Records } from '../archive/records.ts';
import type { Submitted } from '../items/item.ts';
import type { ItemState } from '../items/item-state.ts';
import type { ItemRecord } from '../items/record.ts';
import { isOthers, itemOfRecord, submittedRecord } from '../items/transitions.ts';
import type { BatchState, Forward, ItemRef, StageSettings } from './ports.ts';
import { submittedOf } from './record-task.ts';

/** What came of asking for a poll now: it comes at once; it polls another task; there is none. */
export type PollNow = 'hurried' | 'other-task' | 'absent';

export type CallbackPorts = {
  now: () => number;
  records: Records;
  state: Pick<BatchState, 'move' | 'claimTask'> & { stateOf(item: ItemRef): Promise<ItemState | undefined> };
  forward: Pick<Forward, 'poll'>;
  pollNow(item: ItemRef, taskId: string): Promise<PollNow>;
  /** Tells the poll that is added next that a callback came for its task. */
  markCalled(item: ItemRef, taskId: string): Promise<void>;
  settings: Pick<StageSettings, 'pollGiveUpMs'>;
};

/**
 * - `hurried`: the item's poll comes at once
 * - `brought-back`: the item had lost its task and has it again
 * - `ignored`: there is nothing to hurry, or the task is not the item's
 */
export type CallbackOutcome = 'hurried' | 'brought-back' | 'ignored';

/** `lane`: the account whose callback it is; absent for one without a name. */
export type Called = { taskId: string; lane?: string | undefined };

/**
 * The provider says that a task of this item has ended. It only asks for a poll, which finds out what came of the task. A callback
 * may come any number of times, before the answer to the submit, and after everything is over. Throws the archive's errors.
 */
export async function takeCallback(item: ItemRef, called: Called, ports: CallbackPorts): Promise<CallbackOutcome> {
  const { taskId } = called;
  const hurried = await ports.pollNow(item, taskId);
  if (hurried === 'hurried') return 'hurried';
  if (hurried === 'other-task') return 'ignored';
  const state = await ports.state.stateOf(item);
  if (hasNoUseFor(state)) return 'ignored';
  return (await restoreTask(item, called, state, ports)) ? 'brought-back' : 'ignored';
}

/**
 * It has an image, or will have one. An item that Redis does not know, as after a flush, may have use for the task, and so may one that
 * was cancelled or failed: an attempt before may have started it.
 */
function hasNoUseFor(state: ItemState | undefined): boolean {
  return state === 'finished' || state === 'archived';
}

/** Whether the record has an attempt without a known task, or one whose task is this one and may still have an image. */
function mayBeTaskOf(record: ItemRecord, taskId: string): boolean {
  if (record.earlierTaskIds.includes(taskId) || isOthers(record, taskId)) return false;
  switch (record.state) {
    case 'submitted':
      return record.taskId === taskId;
    case 'held':
      return record.taskId === undefined ? hasUnknownTask(record) : record.taskId === taskId;
    case 'claimed':
    case 'queued':
    case 'cancelled':
      return hasUnknownTask(record);
    case 'failed':
      // Its last attempt was refused. What a person has dropped stays so.
      return record.taskId === undefined && hasUnknownAttempt(record) && record.failure.class !== 'cancelled';
    case 'archived':
      return false;
    default:
      return record satisfies never;
  }
}

function hasUnknownAttempt({ unknownAttempts = 0 }: ItemRecord): boolean {
  return unknownAttempts > 0;
}

/** Each attempt is a submit that went out, or may have. */
function hasUnknownTask(record: ItemRecord): boolean {
  return record.attempts > record.earlierTaskIds.length;
}

/**
 * Record, state, poll, in this order. Wherever it breaks off, a repeated callback or the manifest's next run goes on. False when
 * the task is not the item's.
 */
async function restoreTask(
  { batch, id }: ItemRef,
  called: Called,
  state: ItemState | undefined,
  ports: CallbackPorts,
): Promise<boolean> {
  const { taskId } = called;
  if ((await ports.state.claimTask({ batch, id }, taskId)) !== id) return false;
  const found = await ports.records.read(batch, id);
  const { record } = await ports.records.update(batch, id, (now) => withTask(now, called, ports), found);
  if (record?.state !== 'submitted' || record.taskId !== taskId) return false;
  const wasCounted = state === 'held' && found && 'taskId' in found && found.taskId !== undefined;
  const item = itemOfRecord(record);
  await ports.state.move(item, 'submitted', wasCounted ? {} : { submits: 1 });
  await ports.markCalled(item, taskId);
  await ports.forward.poll(taskOf(record, record, ports), ports.now());
  return true;
}

function withTask(now: ItemRecord | undefined, called: Called, ports: CallbackPorts): ItemRecord | undefined {
  if (!now || now.state === 'submitted' || !mayBeTaskOf(now, called.taskId)) return undefined;
  return submittedRecord(taskOf(now, called, ports), now);
}

function taskOf(record: ItemRecord, { taskId, lane }: Called, ports: CallbackPorts): Submitted {
  const submittedAt = Date.parse(record.timings.submitted ?? record.timings.queued);
  return submittedOf(itemOfRecord(record), { taskId, submittedAt, recorded: true, lane }, ports);
}
