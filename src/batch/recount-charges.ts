import { readable, recordsOfBatch } from '../archive/read-records.ts';
import { chargesOf } from '../items/charges.ts';
import type { Connections } from '../wiring/connections.ts';
import { chunksOf } from './chunks-of.ts';

const CHUNK = 500;

/**
 * Makes sure that all that the archive knows to have been spent counts, also when Redis was emptied. A record that cannot be read
 * tells nothing.
 */
export async function recountCharges(
  { records, spending, prices, log }: Pick<Connections, 'records' | 'spending' | 'prices' | 'log'>,
  batch: string,
): Promise<void> {
  if (await spending.isRecounted(batch)) return;
  const counted = readable(recordsOfBatch(records, batch), ({ id, message }) =>
    log.warn({ batch, item: id, reason: message }, 'charges not counted'),
  );
  for await (const some of chunksOf(counted, CHUNK)) {
    await spending.record(
      batch,
      some.map((record) => chargesOf(record, prices)),
    );
  }
  await spending.noteRecounted(batch);
}
