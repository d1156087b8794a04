import { pMapIterable, pMapSkip } from 'p-map';
import type { ItemRecord } from '../items/record.ts';
import type { Records } from './records.ts';

/** How many records are read at once: enough to hide a store's latency, few enough for memory. */
const READ_AHEAD = 32;

/**
 * Reads the records of these items ahead, and yields them in order. An item without a record is left out. Throws the
 * archive's errors.
 */
export function readRecords(
  records: Pick<Records, 'read'>,
  batch: string,
  ids: Iterable<string> | AsyncIterable<string>,
  signal?: AbortSignal,
): AsyncIterable<ItemRecord> {
  const read = async (id: string) => (await records.read(batch, id, signal)) ?? pMapSkip;
  return pMapIterable(ids, read, { concurrency: READ_AHEAD });
}

/** All records of a batch in the order of ids, which never changes. Reads only the archive, not Redis. */
export function recordsOfBatch(records: Records, batch: string, signal?: AbortSignal): AsyncIterable<ItemRecord> {
  return readRecords(records, batch, records.list(batch, signal), signal);
}
