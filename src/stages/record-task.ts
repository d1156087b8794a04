import { setTimeout as sleep } from 'node:timers/promises';
import { CorruptRecordError } from '../archive/records.ts';
import { messageOf } from '../errors.ts';
import { type Item, laneOf, type Submitted } from '../items/item.ts';
import type { ItemRecord } from '../items/record.ts';
import { recordWithTask, submittedRecord } from '../items/transitions.ts';
import type { Ports, StageSettings } from './ports.ts';

/** Recording a task id is tried so often before Redis has to keep it for the next stage. */
const RECORD_RETRY_DELAYS_MS = [100, 500, 2_000];

/** Resolves with the record, which names the task; it may have gone on. */
export async function recordTask(
  taskId: string,
  { item, claimed, submittedAt }: { item: Item; claimed: ItemRecord; submittedAt: number },
  ports: Ports,
): Promise<ItemRecord | undefined | 'not-recorded'> {
  const submitted = submittedOf(item, { taskId, submittedAt, recorded: true, lane: ports.settings.lane }, ports);
  for (const delayMs of [...RECORD_RETRY_DELAYS_MS, undefined]) {
    try {
      const change = (now: ItemRecord | undefined) => recordWithTask(submitted, now);
      return (await ports.records.update(item.batch, item.id, change, claimed)).record;
    } catch (error) {
      ports.log.error(
        { batch: item.batch, item: item.id, taskId, reason: messageOf(error) },
        'task id not recorded yet',
      );
      if (error instanceof CorruptRecordError) {
        await putTaskAside(submitted, claimed, ports);
        return 'not-recorded';
      }
      if (delayMs !== undefined) await sleep(delayMs);
    }
  }
  return 'not-recorded';
}

/** A record was spoilt between claim and answer: then only this file names the task. Never throws: the poll job carries the id, too. */
async function putTaskAside(task: Submitted, claimed: ItemRecord | undefined, ports: Ports): Promise<void> {
  await ports.records.putAside(submittedRecord(task, claimed)).catch((error: unknown) => {
    const { batch, id, taskId } = task;
    ports.log.error({ batch, item: id, taskId, reason: messageOf(error) }, 'task id not put aside');
  });
}

/** What `recordTask` could not do. Throws the archive's errors; where the record cannot be read, after the task was put aside. */
export async function recordFirst(item: Submitted, ports: Ports): Promise<Submitted> {
  if (item.recorded) return item;
  try {
    // The record may be held or queued: another process took the missing task id for an unknown outcome.
    const { record } = await ports.records.update(item.batch, item.id, (now) => recordWithTask(item, now));
    if (record?.state === 'submitted') await ports.state.move(item, 'submitted');
    return { ...item, recorded: true };
  } catch (error) {
    if (error instanceof CorruptRecordError && error.found.taskId === undefined)
      await putTaskAside(item, undefined, ports);
    throw error;
  }
}

/** `lane`: the account that the task runs in. */
export function submittedOf(
  item: Item,
  { taskId, submittedAt, recorded, lane }: Task,
  ports: { now: () => number; settings: Pick<StageSettings, 'pollGiveUpMs'> },
): Submitted {
  // A task found long after its submit gets a full time of asking from now on: its answer lives for 14 days.
  const giveUpAt = Math.max(submittedAt, ports.now() - ports.settings.pollGiveUpMs / 2) + ports.settings.pollGiveUpMs;
  return { ...item, taskId, submittedAt, giveUpAt, recorded, ...laneOf({ lane }) };
}

export type Task = Pick<Submitted, 'taskId' | 'submittedAt' | 'recorded'> & { lane: string | undefined };

/** The task that a record goes by. */
export function taskOfRecord(record: ItemRecord, taskId: string): Task {
  const { timings, lane } = record;
  return { taskId, submittedAt: Date.parse(timings.submitted ?? timings.queued), recorded: true, lane };
}
