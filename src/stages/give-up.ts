import { messageOf } from '../errors.ts';
import type { Item } from '../item.ts';
import { failedRecord, heldRecord } from './item-record.ts';
import type { Ports } from './ports.ts';

/** Ends an item whose stage kept throwing what no rule foresees, so that it is named and not lost. */
export async function giveUp(item: Item, error: unknown, ports: Ports): Promise<void> {
  const previous = await ports.records.read(item.batch, item.id);
  const message = `Gave up after repeated errors: ${messageOf(error)}`;
  if (previous?.state === 'archived') {
    await ports.state.move(item, 'archived');
  } else if (previous?.state === 'claimed') {
    await ports.records.write(heldRecord(item, previous, { class: 'unknown-outcome', message }));
    await ports.state.move(item, 'held');
  } else {
    await ports.records.write(failedRecord(item, previous, { class: 'internal', message }));
    await ports.state.move(item, 'failed');
  }
  ports.log.error({ batch: item.batch, item: item.id, reason: messageOf(error) }, 'gave up');
}
