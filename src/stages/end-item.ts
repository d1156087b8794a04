import type { Item } from '../items/item.ts';
import type { ItemRecord } from '../items/record.ts';
import type { Ports } from './ports.ts';

type EndedRecord = Extract<ItemRecord, { state: 'failed' | 'held' }>;

/**
 * Ends an item as its record says: the record first, since it is the truth, then the state. What is held waits for a person.
 * `previous` is the record as it was read. Where `end` finds that it has gone on since, nothing is ended, and the record as it is
 * now is returned. Repeating it comes to the same. Throws the archive's errors.
 */
export async function endItem(
  item: Item,
  previous: ItemRecord | undefined,
  end: (now: ItemRecord | undefined) => EndedRecord | undefined,
  stage: 'submit' | 'poll' | 'archive',
  { records, state, log }: Pick<Ports, 'records' | 'state' | 'log'>,
): Promise<ItemRecord | undefined> {
  const { batch, id } = item;
  const { written, record } = await records.update(batch, id, end, previous);
  if (!written || (record?.state !== 'failed' && record?.state !== 'held')) return record;
  await state.move(item, record.state);
  const task = record.taskId === undefined ? {} : { taskId: record.taskId };
  log[stage === 'archive' ? 'error' : 'warn'](
    { batch, item: id, stage, ...task, failure: record.failure },
    record.state,
  );
  return undefined;
}
