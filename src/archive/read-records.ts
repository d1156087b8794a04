import { pMapIterable, pMapSkip } from 'p-map';
import type { ItemRecord } from '../items/record.ts';
import { type Found, isReadable } from '../items/unreadable.ts';
import { CorruptRecordError, type Records } from './records.ts';

/** How many records are read at once: enough to hide a store's latency, few enough for memory. */
export const READ_AHEAD = 96;

/** One that cannot be read is a value: whoever reads many must not fail for one. Throws the archive's errors. */
export async function findRecord(
  records: Pick<Records, 'read'>,
  batch: string,
  id: string,
  signal?: AbortSignal,
): Promise<Found | undefined> {
  try {
    return await records.read(batch, id, signal);
  } catch (error) {
    if (error instanceof CorruptRecordError) return error.found;
    throw error;
  }
}

/** The records of these items in their order, read ahead. An item without a record is left out. Throws the archive's errors. */
export function readRecords(
  records: Pick<Records, 'read'>,
  batch: string,
  ids: Iterable<string> | AsyncIterable<string>,
  signal?: AbortSignal,
): AsyncIterable<Found> {
  const read = async (id: string) => (await findRecord(records, batch, id, signal)) ?? pMapSkip;
  return pMapIterable(ids, read, { concurrency: READ_AHEAD });
}

/** Those that can be read; `pass` is told of the others. */
export async function* readable(
  all: AsyncIterable<Found>,
  pass: (unreadable: Exclude<Found, ItemRecord>) => void,
): AsyncGenerator<ItemRecord> {
  for await (const found of all) {
    if (isReadable(found)) yield found;
    else pass(found);
  }
}
