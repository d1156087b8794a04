import { FluxError, messageOf } from '../errors.ts';
import { type Finished, type Item, itemOf, type Submitted } from '../items/item.ts';
import type { ItemRecord } from '../items/record.ts';
import { failedRecord, heldRecord, isOthers } from '../items/transitions.ts';
import type { Ports } from './ports.ts';
import { releaseUnsent } from './withdraw-claim.ts';

export type ItemStage = 'submit' | 'poll' | 'archive';

/**
 * Sets an item aside whose stage kept throwing errors that no rule foresees, so that it is named and not lost: `held` where money
 * may have been spent, `failed` where it was never sent. Throws the archive's errors; the job then has to be kept.
 */
export async function giveUp(
  item: Item | Submitted | Finished,
  error: unknown,
  stage: ItemStage,
  ports: Ports,
): Promise<void> {
  const { batch, id } = item;
  const task = 'taskId' in item ? { taskId: item.taskId } : {};
  ports.log.error(
    { batch, item: id, stage, ...task, err: error, remedy: `flux-batch retry ${batch}, or held` },
    'set aside',
  );
  if (error instanceof FluxError && error.code === 'record-corrupt') {
    // The record may hold a task id that a person can still read. So it is never written over.
    await ports.state.move(item, 'failed');
    return;
  }
  const previous = await releaseUnsent(await ports.records.read(batch, id), ports);
  const message = `Set aside after repeated errors: ${messageOf(error)}`;
  const { record } = await ports.records.update(batch, id, (now) => endOf(item, now, message), previous);
  // A task that another has replaced: the item is that one's, and its job is another.
  if (!record || isReplaced(item, record)) return;
  switch (record.state) {
    case 'archived':
    case 'failed':
    case 'held':
    case 'cancelled':
      await ports.state.move(item, record.state);
  }
}

function isReplaced(item: Item | Submitted | Finished, record: ItemRecord | undefined): boolean {
  if (!('taskId' in item) || !record) return false;
  return record.earlierTaskIds.includes(item.taskId) || isOthers(record, item.taskId);
}

/** Undefined: it has ended, or gone on. */
function endOf(
  item: Item | Submitted | Finished,
  previous: ItemRecord | undefined,
  message: string,
): ItemRecord | undefined {
  if (isReplaced(item, previous)) return undefined;
  switch (previous?.state) {
    case 'archived':
    case 'failed':
    case 'held':
    case 'cancelled':
      return undefined;
    case 'submitted':
      return heldRecord(itemOf(item), previous, { class: 'internal', message });
    case 'claimed':
    case 'queued':
    case undefined:
      // The job knows a task that the record does not.
      if ('taskId' in item) return heldRecord(item, previous, { class: 'internal', message });
      if (previous?.state !== 'claimed') return failedRecord(item, previous, { class: 'internal', message });
      // Whether it was charged is as unknown as after a crash, and is to be counted so.
      return heldRecord(item, previous, { class: 'unknown-outcome', message });
    default:
      return previous satisfies never;
  }
}
