import { recordsOfBatch } from '../archive/read-records.ts';
import { chargesOf } from '../items/charges.ts';
import type { Connections } from '../wiring/connections.ts';
import { chunksOf } from './chunks-of.ts';

const CHUNK = 500;

/** Makes sure that all that the archive knows to have been spent counts, also when Redis was emptied. */
export async function recountCharges(
  { records, spending, prices }: Pick<Connections, 'records' | 'spending' | 'prices'>,
  batch: string,
): Promise<void> {
  if (await spending.isRecounted(batch)) return;
  for await (const some of chunksOf(recordsOfBatch(records, batch), CHUNK)) {
    await spending.record(
      batch,
      some.map((record) => chargesOf(record, prices)),
    );
  }
  await spending.noteRecounted(batch);
}
