import type { Records } from '../archive/records.ts';
import type { ItemRecord } from '../items/record.ts';
import { readAhead } from './read-ahead.ts';

const READ_AHEAD = 32;

/** The records of a batch in the order of ids, which never changes. Read from the archive alone. */
export async function* recordsOfBatch(
  records: Records,
  batch: string,
  signal?: AbortSignal,
): AsyncGenerator<ItemRecord> {
  const read = (id: string) => records.read(batch, id, signal);
  for await (const record of readAhead(records.list(batch, signal), READ_AHEAD, read)) {
    // Gone since it was listed.
    if (record) yield record;
  }
}
