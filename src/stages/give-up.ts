import { FluxError, messageOf } from '../errors.ts';
import type { Item } from '../items/item.ts';
import type { ItemRecord } from '../items/record.ts';
import { failedRecord, heldRecord } from '../items/transitions.ts';
import type { Ports } from './ports.ts';
import { releaseUnsent } from './withdraw-claim.ts';

/** Ends an item whose stage kept throwing errors that no rule foresees, so that it is named and not lost. */
export async function giveUp(item: Item, error: unknown, ports: Ports): Promise<void> {
  ports.log.error({ batch: item.batch, item: item.id, reason: messageOf(error) }, 'gave up');
  if (error instanceof FluxError && error.code === 'record-corrupt') {
    // The record may hold a task id that a person can still read. So it is never written over.
    await ports.state.move(item, 'failed');
    return;
  }
  const previous = await releaseUnsent(await ports.records.read(item.batch, item.id), ports);
  const message = `Gave up after repeated errors: ${messageOf(error)}`;
  const { record } = await ports.records.update(item.batch, item.id, (now) => endOf(item, now, message), previous);
  await ports.state.move(item, record?.state === 'archived' || record?.state === 'held' ? record.state : 'failed');
}

function endOf(item: Item, previous: ItemRecord | undefined, message: string): ItemRecord | undefined {
  if (previous?.state === 'archived') return undefined;
  if (previous?.state === 'claimed') return heldRecord(item, previous, { class: 'unknown-outcome', message });
  return failedRecord(item, previous, { class: 'internal', message });
}
