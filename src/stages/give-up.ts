import { FluxError, messageOf } from '../errors.ts';
import type { Item, Submitted } from '../items/item.ts';
import type { ItemRecord } from '../items/record.ts';
import { failedRecord, heldRecord } from '../items/transitions.ts';
import type { Ports } from './ports.ts';
import { releaseUnsent } from './withdraw-claim.ts';

/** Ends an item whose stage kept throwing errors that no rule foresees, or cannot go on, so that it is named and not lost. */
export async function giveUp(item: Item | Submitted, error: unknown, ports: Ports): Promise<void> {
  const task = 'taskId' in item ? { taskId: item.taskId } : {};
  ports.log.error({ batch: item.batch, item: item.id, ...task, reason: messageOf(error) }, 'gave up');
  if (error instanceof FluxError && error.code === 'record-corrupt') {
    // The record may hold a task id that a person can still read. So it is never written over.
    await ports.state.move(item, 'failed');
    return;
  }
  const previous = await releaseUnsent(await ports.records.read(item.batch, item.id), ports);
  const ended = endOf(item, previous, `Gave up after repeated errors: ${messageOf(error)}`);
  if (ended !== previous) await ports.records.write(ended);
  await ports.state.move(item, ended.state === 'archived' || ended.state === 'held' ? ended.state : 'failed');
}

function endOf(item: Item, previous: ItemRecord | undefined, message: string): ItemRecord {
  if (previous?.state === 'archived') return previous;
  if (previous?.state === 'claimed') return heldRecord(item, previous, { class: 'unknown-outcome', message });
  return failedRecord(item, previous, { class: 'internal', message });
}
