import type { Item } from '../items/item.ts';
import type { ItemRecord } from '../items/record.ts';
import type { Ports } from './ports.ts';

type EndedRecord = Extract<ItemRecord, { state: 'failed' | 'held' }>;

/**
 * Ends an item as its record says: the record first, since it is the truth, then the state. What is held waits for a person.
 * Repeating it comes to the same. Throws the archive's errors.
 */
export async function endItem(
  item: Item,
  record: EndedRecord,
  stage: 'submit' | 'poll' | 'archive',
  { records, state, log }: Pick<Ports, 'records' | 'state' | 'log'>,
): Promise<void> {
  await records.write(record);
  await state.move(item, record.state);
  const { batch, id } = item;
  const task = record.taskId === undefined ? {} : { taskId: record.taskId };
  log[stage === 'archive' ? 'error' : 'warn'](
    { batch, item: id, stage, ...task, failure: record.failure },
    record.state,
  );
}
