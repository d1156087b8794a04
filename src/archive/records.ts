import { FluxError, messageOf } from '../errors.ts';
import { type ItemRecord, recordSchema } from '../items/record.ts';
import type { Unreadable } from '../items/unreadable.ts';
import type { Archive } from './archive.ts';
import { itemOfRecordKey, layout } from './layout.ts';

/** The items' records in an archive. All methods throw the archive's errors; `list` does so while it is iterated. */
export type Records = {
  /**
   * Undefined when there is no record. Throws a `CorruptRecordError` (`record-corrupt`) when the file is not a valid record of
   * this item.
   */
  read(batch: string, item: string, signal?: AbortSignal): Promise<ItemRecord | undefined>;
  write(record: ItemRecord, signal?: AbortSignal): Promise<void>;
  /** Returns false when the item already has a record: another worker has claimed it. */
  create(record: ItemRecord, signal?: AbortSignal): Promise<boolean>;
  /** The ids of all items that have a record, in byte order of their keys. */
  list(batch: string, signal?: AbortSignal): AsyncIterable<string>;
};

/** Its code is `record-corrupt`. */
export class CorruptRecordError extends FluxError {
  override readonly name = 'CorruptRecordError';
  readonly found: Unreadable;

  constructor(archive: string, found: Unreadable, cause: unknown) {
    super('record-corrupt', found.message, {
      facts: { archive, key: found.key },
      hint: 'Was it edited by hand? Put it right. Do not delete it: that would submit its item again.',
      cause,
    });
    this.found = found;
  }
}

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
  const text = body.toString('utf8');
  let record: ItemRecord;
  try {
    record = recordSchema.parse(JSON.parse(text));
  } catch (thrown) {
    throw corrupt(place, messageOf(thrown), taskIn(text), thrown);
  }
  if (record.id !== place.item || record.batch !== place.batch) {
    throw corrupt(place, `it is the record of ${record.batch}/${record.id}`);
  }
  return record;
}

/** What is broken may still name the task that was paid for. */
function taskIn(text: string): string | undefined {
  return /"taskId"\s*:\s*"([^"\\\s]{1,200})"/.exec(text)?.[1];
}

function corrupt(
  { batch, item, archive, key }: Place,
  why: string,
  taskId?: string,
  cause?: unknown,
): CorruptRecordError {
  const message = `The record ${key} in ${archive} cannot be read: ${why}`;
  const found = {
    state: 'unreadable' as const,
    batch,
    id: item,
    key,
    message,
    ...(taskId !== undefined && { taskId }),
  };
  return new CorruptRecordError(archive, found, cause);
}
