import { readable, recordsOfBatch } from '../archive/read-records.ts';
import { chargesOf } from '../items/charges.ts';
import { type IdSet, idSet } from '../items/id-set.ts';
import type { ItemRecord } from '../items/record.ts';
import type { Connections } from '../wiring/connections.ts';
import { chunksOf } from './chunks-of.ts';

const CHUNK = 500;

/**
 * Makes sure that all that the archive knows to have been spent counts, also when Redis was emptied. A record that cannot be read
 * tells nothing. Resolves with the items that it has seen archived, which they stay: nobody needs to read their records again.
 */
export async function recountCharges(
  { records, spending, prices, log }: Pick<Connections, 'records' | 'spending' | 'prices' | 'log'>,
  batch: string,
): Promise<Pick<IdSet, 'has'>> {
  const archived = idSet();
  if (await spending.isRecounted(batch)) return archived;
  const counted = readable(recordsOfBatch(records, batch), ({ id, message }) =>
    log.warn({ batch, item: id, reason: message }, 'charges not counted'),
  );
  for await (const some of chunksOf(counted, CHUNK)) {
    for (const { id, state } of some) if (state === 'archived') archived.add(id);
    await countCharges({ spending, prices }, batch, some);
  }
  await spending.noteRecounted(batch);
  return archived;
}

/** Figures are absolute: counting a record twice changes nothing. */
export function countCharges(
  { spending, prices }: Pick<Connections, 'spending' | 'prices'>,
  batch: string,
  some: readonly ItemRecord[],
): Promise<void> {
  return spending.record(
    batch,
    some.map((record) => chargesOf(record, prices)),
  );
}
