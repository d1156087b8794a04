import { FluxError, messageOf } from '../errors.ts';
import { type ItemRecord, recordSchema } from '../items/record.ts';
import type { Archive } from './archive.ts';
import { itemOfRecordKey, layout } from './layout.ts';

/** The items' records in an archive. All methods throw the archive's errors; `list` does so while it is iterated. */
export type Records = {
  /** Undefined when there is no record. Throws `record-corrupt` when the file is not a valid record of this item. */
  read(batch: string, item: string, signal?: AbortSignal): Promise<ItemRecord | undefined>;
  write(record: ItemRecord, signal?: AbortSignal): Promise<void>;
  /** Returns false when the item already has a record: another worker has claimed it. */
  create(record: ItemRecord, signal?: AbortSignal): Promise<boolean>;
  /** The ids of all items that have a record, in byte order of their keys. */
  list(batch: string, signal?: AbortSignal): AsyncIterable<string>;
};

export function recordsIn(archive: Archive): Records {
  return {
    async read(batch, item, signal) {
      const key = layout.record(batch, item);
      const body = await archive.read(key, signal);
      return body && parseRecord(body, { batch, item, archive: archive.url, key });
    },
    write: (record, signal) => archive.write(keyOf(record), encode(record), options(signal)),
    create: (record, signal) => archive.create(keyOf(record), encode(record), options(signal)),
    async *list(batch, signal) {
      for await (const key of archive.list(layout.records(batch), signal)) {
        if (key.endsWith('.json')) yield itemOfRecordKey(batch, key);
      }
    },
  };
}

const keyOf = (record: ItemRecord) => layout.record(record.batch, record.id);
const encode = (record: ItemRecord) => Buffer.from(`${JSON.stringify(record, null, 2)}\n`);
const options = (signal: AbortSignal | undefined) => ({ contentType: 'application/json', ...(signal && { signal }) });

type Place = { batch: string; item: string; archive: string; key: string };

function parseRecord(body: Buffer, place: Place): ItemRecord {
  let record: ItemRecord;
  try {
    record = recordSchema.parse(JSON.parse(body.toString('utf8')));
  } catch (thrown) {
    throw corrupt(place, messageOf(thrown), thrown);
  }
  if (record.id !== place.item || record.batch !== place.batch) {
    throw corrupt(place, `it is the record of ${record.batch}/${record.id}`);
  }
  return record;
}

function corrupt({ archive, key }: Place, why: string, cause?: unknown): FluxError {
  return new FluxError('record-corrupt', `The record ${key} in ${archive} cannot be read: ${why}`, {
    facts: { archive, key },
    hint: 'Was it edited by hand? Put it right. Do not delete it: that would submit its item again.',
    cause,
  });
}
